import pg from 'pg';
import type { DatabaseUrls } from '../../ops/databases/urls.js';
import { eventually } from '../harness/wait.js';

// Events are delivered and pruned, and marks of queues raised, without a request.
const excludedTables = ['inbox', 'outbox', 'queue_mark'];

/** A digest of each table of all databases: `database.table` → digest. */
export async function contentsOf(databases: DatabaseUrls): Promise<Record<string, string>> {
  const contents: Record<string, string> = {};
  for (const [database, connectionString] of Object.entries(databases)) {
    const client = new pg.Client({ connectionString });
    await client.connect();
    const { rows: tables } = await client.query<{ name: string }>(
      `select tablename as name from pg_tables where schemaname = 'public' and tablename <> all($1)`,
      [excludedTables],
    );
    for (const { name } of tables) {
      const { rows } = await client.query<{ digest: string }>(
        `select md5(string_agg(row::text, ' ' order by row::text)) as digest
         from ${client.escapeIdentifier(name)} as row`,
      );
      contents[`${database}.${name}`] = rows[0]?.digest ?? '';
    }
    await client.end();
  }
  return contents;
}

const idleMs = 1000;

/** As `contentsOf`, once workers are idle: the contents have not changed for a second. */
export async function stableContents(databases: DatabaseUrls): Promise<Record<string, string>> {
  const [contents] = await eventually(
    async () => {
      const before = await contentsOf(databases);
      await new Promise((resolve) => setTimeout(resolve, idleMs));
      return [before, await contentsOf(databases)] as const;
    },
    ([before, after]) => JSON.stringify(before) === JSON.stringify(after),
  );
  return contents;
}
