import { adminProgram } from '../subgraphs/user/admin.js';
import { readRunningSystem, stateFolder } from './running-system.js';

/** `npm run admin -- create --email …`: on the system that runs here. */
await adminProgram(() => {
  const url = readRunningSystem(stateFolder())?.databases.user;
  if (!url) throw new Error('No system runs here: start it with npm start.');
  return url;
});
