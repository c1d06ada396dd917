import { Migrator } from '@mikro-orm/migrations';
import { defineConfig, type EntityManager, MikroORM, type Options } from '@mikro-orm/postgresql';
import { CompiledQuery, type Kysely } from 'kysely';
import pg from 'pg';
import type { Logger } from './logger.js';

export type { EntityManager } from '@mikro-orm/postgresql';

const statementTimeoutMs = 4000;
const idleInTransactionTimeoutMs = 4000;
const connectTimeoutMs = 5000;

export interface DatabaseSettings {
  /** the subgraph, as it is to be seen in `pg_stat_activity` */
  readonly name: string;
  readonly url: string;
  readonly poolMax: number;
  readonly logger?: Logger;
}
export type Schema = Pick<Options, 'entities'> & {
  readonly migrations: NonNullable<Options['migrations']>['migrationsList'];
};

/**
 * MikroORM's options for a subgraph. Statements and idle transactions end sooner than the lock's
 * time-to-live (5 s), so that no transaction outlives the lock it was begun under.
 */
export function databaseOptions(settings: DatabaseSettings, schema: Schema): Options {
  return defineConfig({
    clientUrl: settings.url,
    entities: schema.entities ?? [],
    forceUndefined: false,
    ensureDatabase: false,
    discovery: { warnWhenNoEntities: false },
    extensions: [Migrator],
    migrations: {
      migrationsList: schema.migrations ?? [],
      snapshot: false,
      allOrNothing: true,
    },
    pool: { max: settings.poolMax },
    driverOptions: {
      application_name: settings.name,
      statement_timeout: statementTimeoutMs,
      idle_in_transaction_session_timeout: idleInTransactionTimeoutMs,
      connectionTimeoutMillis: connectTimeoutMs,
    },
    logger: (message) => settings.logger?.warn(message),
  });
}

export function connect(settings: DatabaseSettings, schema: Schema): Promise<MikroORM> {
  return MikroORM.init(databaseOptions(settings, schema));
}

/** Brings the tables of one subgraph up to date. */
export async function migrate(settings: DatabaseSettings, schema: Schema): Promise<void> {
  const orm = await connect({ ...settings, poolMax: 1 }, schema);
  try {
    await orm.migrator.up();
  } finally {
    await orm.close();
  }
}

/**
 * Runs one statement with bound parameters (`$1`, `$2`, …), inside the transaction of `em` if it
 * has one. For where SQL is the point; timestamps come as strings, `numeric` too.
 */
export async function sql<T>(
  em: EntityManager,
  text: string,
  values: unknown[] = [],
): Promise<T[]> {
  const transaction = em.getTransactionContext<Kysely<unknown>>();
  const client = transaction ?? em.getConnection().getClient();
  const result = await client.executeQuery<T>(CompiledQuery.raw(text, values));
  return result.rows;
}

/** As `sql`, but tells how many rows were changed. */
export async function sqlCount(
  em: EntityManager,
  text: string,
  values: unknown[],
): Promise<number> {
  const transaction = em.getTransactionContext<Kysely<unknown>>();
  const client = transaction ?? em.getConnection().getClient();
  const result = await client.executeQuery(CompiledQuery.raw(text, values));
  return Number(result.numAffectedRows ?? 0);
}

const uniqueViolation = '23505';

/** Whether an error is PostgreSQL's word that a unique constraint (of that name) stands against it. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  const { code, constraint: name } = error as { code?: string; constraint?: string };
  return code === uniqueViolation && (constraint === undefined || constraint === name);
}

/** A connection of its own that listens to NOTIFY; `stop` ends it. */
export async function listenTo(url: string, channel: string, heard: () => void) {
  const client = new pg.Client({ connectionString: url, application_name: `listen:${channel}` });
  client.on('notification', heard);
  client.on('error', () => {});
  await client.connect();
  await client.query(`listen ${client.escapeIdentifier(channel)}`);
  return client;
}

const deadlockDetected = '40P01';
export const isDeadlock = (error: unknown) =>
  (error as { code?: string }).code === deadlockDetected;
