import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { ConfigError, loadConfig, subgraphVariables } from '../subgraphs/shared/config.js';
import type { Schema } from '../subgraphs/shared/database/connect.js';
import { migrate, patience } from '../subgraphs/shared/database/run-migrations.js';

async function readSubgraph(name: string, env: NodeJS.ProcessEnv) {
  const { DATABASE_URL } = subgraphVariables(name, 0);
  const url = loadConfig({ DATABASE_URL }, env).DATABASE_URL;
  const module = await import(`../subgraphs/${name}/mikro-orm.config.js`);
  return { url, schema: module.databaseSchema as Schema };
}

/**
 * Brings the tables of a subgraph up to date, before its processes start. `DATABASE_URL` names the
 * owner of the database: the role of the processes themselves need not be able to change tables.
 * Where others keep a lock on a table, it is asked for again, for some five minutes.
 *
 * @throws ConfigError
 */
export async function migrateSubgraph(name: string, env = process.env): Promise<void> {
  const { url, schema } = await readSubgraph(name, env);
  const onRefused = ({ message }: Error) => console.error(`not yet, others use it: ${message}`);
  await migrate({ name: `migrate ${name}`, url, poolMax: 1 }, schema, { ...patience, onRefused });
}

const lookEveryMs = 1000;

/** Waits until somebody else has done that; any role of the database will do. */
export async function untilMigrated(name: string, env = process.env): Promise<void> {
  const { url, schema } = await readSubgraph(name, env);
  const wanted = (schema.migrations ?? []).map((each) => (each as { name: string }).name);
  while ((await missing(url, wanted)).length > 0) {
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
}

async function missing(url: string, wanted: readonly string[]): Promise<readonly string[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query<{ name: string }>('select name from mikro_orm_migrations');
    const done = new Set(rows.map((row) => row.name));
    return wanted.filter((each) => !done.has(each));
  } catch (error) {
    console.error(`not yet: ${(error as Error).message}`);
    return wanted;
  } finally {
    await client.end().catch(() => {});
  }
}

/** `node dist/ops/migrate.js NAME [--wait]` */
async function main(name = '', option?: string): Promise<void> {
  try {
    await (option === '--wait' ? untilMigrated : migrateSubgraph)(name);
    console.log(`the database of ${name} is up to date`);
  } catch (error) {
    console.error(error instanceof ConfigError ? error.message : error);
    process.exitCode = 1;
  }
}

if (process.argv[1] && pathToFileURL(process.argv[1]).href === import.meta.url) {
  await main(...process.argv.slice(2));
}
