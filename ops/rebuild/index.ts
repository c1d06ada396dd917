import { databasesOrExit } from '../databases/urls.js';
import { rebuildProjections } from './projections.js';

/** `npm run rebuild -- projections` */
if (process.argv[2] !== 'projections') {
  console.error('Usage: npm run rebuild -- projections');
  process.exitCode = 1;
} else {
  const count = await rebuildProjections(databasesOrExit());
  console.log(`${count} offer listings and the names of offers are rebuilt`);
}
