import type { Schema } from '../subgraphs/shared/database/connect.js';
import { migrate } from '../subgraphs/shared/database/run-migrations.js';
import type { DatabaseUrls } from './databases/urls.js';
import { subgraphNames } from './subgraph-names.js';

/** Brings the tables of all five databases up to date. */
export async function migrateAll(urls: DatabaseUrls): Promise<void> {
  await Promise.all(
    subgraphNames.map(async (name) => {
      const module = await import(`../subgraphs/${name}/mikro-orm.config.js`);
      await migrate({ name, url: urls[name], poolMax: 1 }, module.databaseSchema as Schema);
    }),
  );
}
