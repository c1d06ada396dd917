import { type DatabaseUrls, databasesOrExit } from '../databases/urls.js';
import { rebuildProjections } from './projections.js';
import { rebuildSearch } from './search.js';

/** What can be rebuilt. Each prints what it did. */
const targets: Readonly<Record<string, (urls: DatabaseUrls) => Promise<string>>> = {
  projections: async (urls) =>
    `${await rebuildProjections(urls)} offer listings and the names of offers are rebuilt`,
  search: async (urls) =>
    `the search vectors and keys of ${await rebuildSearch(urls)} rows are rebuilt`,
};

/** `npm run rebuild -- projections`, `npm run rebuild -- search` */
const rebuild = targets[process.argv[2] ?? ''];
if (!rebuild) {
  console.error(`Usage: npm run rebuild -- ${Object.keys(targets).join('|')}`);
  process.exitCode = 1;
} else {
  console.log(await rebuild(databasesOrExit()));
}
