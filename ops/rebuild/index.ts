import { databasesOrExit } from '../databases/urls.js';
import { rebuildProjections } from './projections.js';

/** `npm run rebuild -- projections`: in the system that runs here. */
if (process.argv[2] !== 'projections') {
  console.error('npm run rebuild -- projections');
  process.exitCode = 1;
} else {
  const count = await rebuildProjections(databasesOrExit());
  console.log(
    `${count} offer listings are as shops and warehouses have them, and offers are called as their products`,
  );
}
