import { pathToFileURL } from 'node:url';
import { ConfigError, loadConfig, subgraphVariables } from '../subgraphs/shared/config.js';
import { CheckedClient } from '../subgraphs/shared/database/checked-client.js';
import { migrationLockTimeoutMs, type Schema } from '../subgraphs/shared/database/connect.js';
import {
  lockRetry,
  migrate,
  namesOf,
  OldSchemaError,
  refuseOldSchema,
} from '../subgraphs/shared/database/run-migrations.js';
import { UnusableServerError } from '../subgraphs/shared/database/unusable-server.js';

async function readSubgraph(name: string, env: NodeJS.ProcessEnv) {
  const { DATABASE_URL } = subgraphVariables(name, 0);
  const url = loadConfig({ DATABASE_URL }, env).DATABASE_URL;
  const module = await import(`../subgraphs/${name}/mikro-orm.config.js`);
  return { url, schema: module.databaseSchema as Schema };
}

/**
 * Brings the tables of a subgraph up to date, before its processes start. `DATABASE_URL` has the owner of
 * the database: the role of the processes themselves need not be allowed to change tables. A lock that
 * another transaction holds is retried for about five minutes.
 *
 * @throws ConfigError
 * @throws UnusableServerError
 * @throws OldSchemaError
 */
export async function migrateSubgraph(name: string, env = process.env): Promise<void> {
  const { url, schema } = await readSubgraph(name, env);
  const onRefused = ({ message }: Error) =>
    console.error(`lock not available, retrying: ${message}`);
  await migrate({ name: `migrate ${name}`, url, poolMax: 1 }, schema, { ...lockRetry, onRefused });
}

const checkEveryMs = 1000;

/**
 * Waits until `migrateSubgraph` has completed elsewhere. Works with any role of the database.
 *
 * @throws UnusableServerError
 * @throws OldSchemaError
 */
export async function waitUntilMigrated(name: string, env = process.env): Promise<void> {
  const { url, schema } = await readSubgraph(name, env);
  while ((await missingMigrations(url, schema)).length > 0) {
    await new Promise((resolve) => setTimeout(resolve, checkEveryMs));
  }
}

async function missingMigrations(url: string, schema: Schema): Promise<readonly string[]> {
  const client = new CheckedClient({
    connectionString: url,
    connectionTimeoutMillis: 5000,
    lock_timeout: migrationLockTimeoutMs,
  });
  client.on('error', () => {});
  const names = namesOf(schema);
  try {
    await client.connect();
    const { rows } = await client.query<{ name: string }>('select name from mikro_orm_migrations');
    refuseOldSchema(url, schema, rows);
    const executed = new Set(rows.map((row) => row.name));
    return names.filter((each) => !executed.has(each));
  } catch (error) {
    if (error instanceof OldSchemaError || error instanceof UnusableServerError) throw error;
    console.error(`database not ready: ${(error as Error).message}`);
    return names;
  } finally {
    await client.end().catch(() => {});
  }
}

/** The command that deletes the database of an installation, so that the migrations can start over. */
function startOver(name: string, { hostname, port, pathname }: URL): string {
  // Kubernetes sets this variable in every container.
  if (!process.env.KUBERNETES_SERVICE_HOST) return 'docker compose down -v && docker compose up';
  const drop = `-c 'drop database ${pathname.slice(1)} with (force)'`;
  const dropRoles = `-c 'drop role holdfast_${name}, holdfast_${name}_owner'`;
  return [
    `export PGHOST=${hostname} PGPORT=${port || 5432}`,
    `psql -U postgres ${drop} ${dropRoles}`,
    `PASSWORDS=secrets/postgres SUBGRAPHS=${name} docker/postgres/create-databases.sh`,
  ].join(' && ');
}

/** `node dist/ops/migrate.js NAME [--wait]` */
async function main(name = '', option?: string): Promise<void> {
  try {
    await (option === '--wait' ? waitUntilMigrated : migrateSubgraph)(name);
    console.log(`the database of ${name} is up to date`);
  } catch (error) {
    if (error instanceof OldSchemaError) {
      const command = startOver(name, error.database);
      console.error(`${error.message} To start over without its data:\n  ${command}`);
    } else {
      const isKnown = error instanceof ConfigError || error instanceof UnusableServerError;
      console.error(isKnown ? error.message : error);
    }
    process.exitCode = 1;
  }
}

if (process.argv[1] && pathToFileURL(process.argv[1]).href === import.meta.url) {
  await main(...process.argv.slice(2));
}
