import { parseArgs } from 'node:util';
import type { DatabaseUrls } from '../databases/set-up.js';
import { readRunningSystem, stateFolder } from '../state.js';
import { createProgress } from './progress.js';
import { seedSessions, writeSessions } from './sessions.js';
import { seedStore } from './store.js';

/** `npm run seed -- --size N`: a store of at least N variants, beside what is there. */
const options = { size: { type: 'string', default: '30' } } as const;
const { values } = parseArgs({ options, strict: false });
const size = Number(values.size);
const sizeMax = 100_000;
const system = readRunningSystem(stateFolder());
if (!Number.isInteger(size) || size < 1 || size > sizeMax) {
  console.error(`--size must be a whole number from 1 to ${sizeMax}, not ${values.size}.`);
  process.exitCode = 1;
} else if (!system) {
  console.error('No system runs here: start it with npm start.');
  process.exitCode = 1;
} else {
  const startedAtMs = Date.now();
  try {
    const variants = await seedStore(
      system.databases as unknown as DatabaseUrls,
      size,
      createProgress,
    );
    const sessions = await seedSessions(system.databases.user as string);
    const file = writeSessions(stateFolder(), sessions);
    console.log(`${variants} variants in ${((Date.now() - startedAtMs) / 1000).toFixed(1)} s`);
    console.log(`${sessions.length} sessions in ${file}: npm run --silent sessions`);
  } catch (error) {
    console.error(`The store could not be seeded: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}
