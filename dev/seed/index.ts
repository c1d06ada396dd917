import 'reflect-metadata';
import { parseArgs } from 'node:util';
import { databasesOrExit } from '../../ops/databases/urls.js';
import { stateFolder } from '../../ops/running-system.js';
import { demoStoreRefusal, storeUrlOf } from './demo-variables.js';
import { createProgress } from './progress.js';
import { seedSessions, writeSessions } from './sessions.js';
import { seedStore } from './store.js';

/**
 * `npm run seed -- --size N` adds a store of at least N variants, and a session for each of its accounts.
 * `npm run seed -- --demo` adds the demo store where it is allowed, without sessions.
 */
const options = {
  size: { type: 'string', default: '30' },
  demo: { type: 'boolean', default: false },
} as const;
const { values } = parseArgs({ options, strict: false });
const size = Number(values.size);
const sizeMax = 100_000;
if (!Number.isInteger(size) || size < 1 || size > sizeMax) {
  console.error(`--size must be an integer from 1 to ${sizeMax}, not ${values.size}.`);
  process.exitCode = 1;
} else if (values.demo && demoStoreRefusal()) {
  console.log(`no demo store: ${demoStoreRefusal()}`);
} else {
  const databases = databasesOrExit();
  const startedAtMs = Date.now();
  try {
    const variants = await seedStore(databases, values.demo ? 0 : size, {
      storeUrl: storeUrlOf(databases),
      progressOf: createProgress,
    });
    console.log(`${variants} variants in ${((Date.now() - startedAtMs) / 1000).toFixed(1)} s`);
    if (!values.demo) {
      const sessions = await seedSessions(databases.user);
      const file = writeSessions(stateFolder(), sessions);
      console.log(`${sessions.length} sessions in ${file}: npm run --silent sessions`);
    }
  } catch (error) {
    console.error(`The store could not be seeded: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}
