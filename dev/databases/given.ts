import { subgraphNames } from '../services.js';
import { readRunningSystem, stateFolder } from '../state.js';
import type { DatabaseUrls } from './set-up.js';

/**
 * The databases that a tool works on: those of `USER_DATABASE_URL`, `PRODUCT_DATABASE_URL`, … where they
 * are given, else those of the system that runs here. Ends the process where there is neither.
 */
export function givenDatabases(): DatabaseUrls {
  const system = readRunningSystem(stateFolder());
  const given = subgraphNames.map((name) => {
    return [name, process.env[`${name.toUpperCase()}_DATABASE_URL`] ?? system?.databases[name]];
  });
  if (given.some(([, url]) => !url)) {
    console.error(
      'No system runs here (npm start), and not all of USER_DATABASE_URL, PRODUCT_DATABASE_URL, ' +
        'SHOP_DATABASE_URL, WAREHOUSE_DATABASE_URL and ORDER_DATABASE_URL are given.',
    );
    process.exit(1);
  }
  return Object.fromEntries(given) as DatabaseUrls;
}
