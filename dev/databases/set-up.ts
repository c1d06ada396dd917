import pg from 'pg';
import type { DatabaseUrls } from '../../ops/databases/urls.js';
import { migrateAll } from '../../ops/migrate-all.js';
import { subgraphNames } from '../../ops/subgraph-names.js';
import { OldSchemaError } from '../../subgraphs/shared/database/run-migrations.js';
import { StartError } from './server-process.js';

const notAllowed = '42501';

function refused(url: string, error: Error): StartError {
  const { host, pathname } = new URL(url);
  return new StartError(
    `The database ${host}${pathname} refused the connection (${error.message}): ` +
      'check DATABASE_URL, which must name a role that may create databases and roles.',
  );
}

/** Runs `work` with a connection. @throws StartError if the server refuses it */
async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  try {
    await client.connect();
  } catch (error) {
    throw refused(url, error as Error);
  }
  try {
    return await work(client);
  } catch (error) {
    if ((error as { code?: string }).code !== notAllowed) throw error;
    throw refused(url, error as Error);
  } finally {
    await client.end();
  }
}

/**
 * Creates five databases, each owned by its own role, which cannot connect to the others.
 *
 * @param adminUrl a role that may create databases and roles
 * @param prefix of the names of databases and roles
 */
export async function createDatabases(
  adminUrl: string,
  prefix: string,
  password: string,
): Promise<DatabaseUrls> {
  await withClient(adminUrl, async (client) => {
    for (const name of subgraphNames) await createDatabase(client, `${prefix}_${name}`, password);
  });
  return Object.fromEntries(
    subgraphNames.map((name) => [name, urlOf(adminUrl, `${prefix}_${name}`, password)]),
  ) as DatabaseUrls;
}

function urlOf(adminUrl: string, name: string, password: string): string {
  const url = new URL(adminUrl);
  url.username = name;
  url.password = password;
  url.pathname = `/${name}`;
  return url.href;
}

async function createDatabase(client: pg.Client, name: string, password: string): Promise<void> {
  const [id, secret] = [client.escapeIdentifier(name), client.escapeLiteral(password)];
  const role = await client.query('select from pg_roles where rolname = $1', [name]);
  const verb = role.rowCount === 0 ? 'create' : 'alter';
  await client.query(`${verb} role ${id} login password ${secret}`);
  const database = await client.query('select from pg_database where datname = $1', [name]);
  if (database.rowCount === 0) {
    // Without superuser rights, the owner can be set only to a role of which the current one is a member.
    await client.query(`grant ${id} to current_user`);
    await client.query(`create database ${id} owner ${id}`);
  }
  await client.query(`revoke all on database ${id} from public`);
}

/**
 * Brings the tables of all five databases up to date.
 *
 * @param isExternal whether the server is not one that `npm start` runs
 * @throws StartError with the command to start over, if the tables are too old to be upgraded
 */
export async function migrateDatabases(urls: DatabaseUrls, isExternal: boolean): Promise<void> {
  try {
    await migrateAll(urls);
  } catch (error) {
    if (!(error instanceof OldSchemaError)) throw error;
    const drops = Object.values(urls).map(
      (url) => `-c 'drop database ${new URL(url).pathname.slice(1)}'`,
    );
    const command = isExternal ? `psql "$DATABASE_URL" ${drops.join(' ')}` : 'npm start -- --fresh';
    throw new StartError(`${error.message} To start over without the data:\n  ${command}`);
  }
}
