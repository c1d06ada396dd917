import { givenDatabases } from '../databases/given.js';
import { rebuildProjections } from './projections.js';

/** `npm run rebuild -- projections`: in the system that runs here, or in the databases that are given. */
if (process.argv[2] !== 'projections') {
  console.error('npm run rebuild -- projections');
  process.exit(1);
}
const count = await rebuildProjections(givenDatabases());
console.log(
  `${count} offer listings are as shops and warehouses have them, and offers are called as their products`,
);
