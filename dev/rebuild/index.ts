import type { DatabaseUrls } from '../databases/set-up.js';
import { readRunningSystem, stateFolder } from '../state.js';
import { rebuildProjections } from './projections.js';

/** `npm run rebuild -- projections`: in the system that runs here. */
const system = readRunningSystem(stateFolder());
if (process.argv[2] !== 'projections') {
  console.error('npm run rebuild -- projections');
  process.exitCode = 1;
} else if (!system) {
  console.error('No system runs here: start it with npm start.');
  process.exitCode = 1;
} else {
  const count = await rebuildProjections(system.databases as unknown as DatabaseUrls);
  console.log(
    `${count} offer listings are as shops and warehouses have them, and offers are called as their products`,
  );
}
