import pg from 'pg';
import type { SubgraphName } from '../../ops/subgraph-names.js';
import type { Schema } from '../../subgraphs/shared/database/connect.js';
import { migrate } from '../../subgraphs/shared/database/run-migrations.js';
import { createTestDatabases } from './databases.js';

/**
 * A database as it was before a migration, for tests of what the migration does to rows.
 *
 * @param migration the beginning of its name
 */
export async function openDatabaseBefore<N extends SubgraphName>(
  name: N,
  schema: Schema,
  migration: string,
) {
  const { migrations = [] } = schema;
  const at = migrations.findIndex((each) => each.name.startsWith(migration));
  if (at < 0) throw new Error(`unknown migration: ${migration}`);
  const databases = await createTestDatabases([name]);
  const url = (databases.urls as Record<N, string>)[name];
  const settings = { name, url, poolMax: 1 };
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('drop schema public cascade; create schema public');
  await migrate(settings, { ...schema, migrations: migrations.slice(0, at) });
  return {
    url,
    client,
    /** Runs this migration and all later ones. */
    migrate: () => migrate(settings, schema),
    async close() {
      await client.end();
      await databases.drop();
    },
  };
}
export type DatabaseBefore = Awaited<ReturnType<typeof openDatabaseBefore>>;
