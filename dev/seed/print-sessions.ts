import 'reflect-metadata';
import { stateFolder } from '../../ops/running-system.js';
import { readSessions } from './sessions.js';

/** `npm run --silent sessions` prints the seeded sessions, one JSON object per line, each with a new access token. */
try {
  for (const session of await readSessions(stateFolder())) console.log(JSON.stringify(session));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
