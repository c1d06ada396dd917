import { Migrator } from '@mikro-orm/migrations';
import { defineConfig, type EntityManager, MikroORM, type Options } from '@mikro-orm/postgresql';
import { CompiledQuery, type Kysely } from 'kysely';
import pg from 'pg';
import type { Logger } from '../observability/logger.js';
import { gaugeOf, type Registry } from '../observability/metrics.js';
import { telemetry } from '../observability/telemetry/telemetry.js';
import { giveUpSilentConnections } from './connection-watchdog.js';
import { keepPrepared, PreparingClient } from './prepared-statements.js';

export type { EntityManager } from '@mikro-orm/postgresql';

const statementTimeoutMs = 4000;
const idleInTransactionTimeoutMs = 4000;
const transactionTimeoutMs = 4500;
const connectTimeoutMs = 5000;
const silenceGraceMs = 2000;
// Who waits for a lock on a table makes all wait that come after: a migration gives up instead.
export const migrationLockTimeoutMs = 2000;

export interface DatabaseSettings {
  /** the subgraph, as it is to be seen in `pg_stat_activity` */
  readonly name: string;
  readonly url: string;
  readonly poolMax: number;
  /** how long a statement waits for each lock, where that is less than the statement itself may take */
  readonly lockTimeoutMs?: number;
  readonly logger?: Logger;
}
export type Schema = Pick<Options, 'entities'> & {
  readonly migrations: NonNullable<Options['migrations']>['migrationsList'];
};

/**
 * MikroORM's options for a subgraph. A transaction ends sooner than the lock's time-to-live (5 s);
 * `transaction_timeout` needs PostgreSQL 17. A migration may take its time, but not that of others.
 */
function databaseOptions(
  settings: DatabaseSettings,
  schema: Schema,
  timeLimits: boolean,
  onPool: (pool: pg.Pool) => void,
): Options {
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
      // Each migration is a transaction of its own, or none: `create index concurrently` cannot be in one.
      allOrNothing: false,
    },
    pool: { max: settings.poolMax },
    driverOptions: {
      onPoolCreated: onPool,
      Client: PreparingClient,
      // MikroORM takes host, user and so on from the address, and leaves out the rest: sslmode, sslrootcert.
      connectionString: settings.url,
      application_name: settings.name,
      connectionTimeoutMillis: connectTimeoutMs,
      keepAlive: true,
      ...(timeLimits
        ? {
            statement_timeout: statementTimeoutMs,
            idle_in_transaction_session_timeout: idleInTransactionTimeoutMs,
            options: `-c transaction_timeout=${transactionTimeoutMs}`,
            lock_timeout: settings.lockTimeoutMs,
          }
        : { lock_timeout: migrationLockTimeoutMs }),
    },
    logger: (message) => settings.logger?.warn(message),
  });
}

const giveBackAfterMs = 500;

/**
 * A transaction whose connection is lost cannot be rolled back, and Kysely keeps such a connection
 * for ever: after as many as the pool has, nobody would get one any more. So each that ends is given
 * back, unless its query gave it back by itself.
 */
function giveBackLostConnections(pool: pg.Pool): void {
  pool.on('connect', (client) => {
    client.once('end', () => {
      const giveBack = () => {
        try {
          (client as pg.PoolClient).release(true);
        } catch {} // it was given back already
      };
      setTimeout(giveBack, giveBackAfterMs).unref();
    });
  });
}

/** No connection of the pool stays taken by what has no end: it was lost, or answers no more. */
export function watchConnections(pool: pg.Pool): void {
  giveBackLostConnections(pool);
  giveUpSilentConnections(pool, statementTimeoutMs, silenceGraceMs);
}

// By MikroORM's connection. The pool is made when it is first asked for a connection.
const pools = new WeakMap<object, { pool?: pg.Pool }>();

/** @param afterPool is given the pool once it is made, before its first connection */
export async function connect(
  settings: DatabaseSettings,
  schema: Schema,
  timeLimits = true,
  afterPool: (pool: pg.Pool) => void = () => {},
): Promise<MikroORM> {
  const made: { pool?: pg.Pool } = {};
  const onPool = (pool: pg.Pool) => {
    made.pool = pool;
    if (timeLimits) watchConnections(pool);
    else giveBackLostConnections(pool);
    telemetry()?.watchPool(pool);
    afterPool(pool);
  };
  const orm = await MikroORM.init(databaseOptions(settings, schema, timeLimits, onPool));
  pools.set(orm.em.getConnection(), made);
  return orm;
}

/** Shows how busy the pool is: who waits for a connection waits for all that the others do. */
export function watchPool(orm: MikroORM, registry: Registry): void {
  const poolOf = () => pools.get(orm.em.getConnection())?.pool;
  const connections = {
    name: 'holdfast_database_connections',
    help: 'Connections to the database, by state: used, idle.',
    label: 'state',
  };
  gaugeOf(registry, connections, () => {
    const { totalCount = 0, idleCount = 0 } = poolOf() ?? {};
    return { used: totalCount - idleCount, idle: idleCount };
  });
  const waiting = {
    name: 'holdfast_database_waiting_requests',
    help: 'Statements and transactions that wait for a connection.',
  };
  gaugeOf(registry, waiting, () => poolOf()?.waitingCount ?? 0);
}

const idleMaxMs = 5000;
const idlePollMs = 10;

/**
 * Closes the pool once nothing is asked any more. Kysely loses a connection that is still being made
 * when its pool is closed, and to close it then never ends.
 */
export async function disconnect(orm: MikroORM): Promise<void> {
  const pool = pools.get(orm.em.getConnection())?.pool;
  const deadlineMs = Date.now() + idleMaxMs;
  const isBusy = () => pool && (pool.totalCount > pool.idleCount || pool.waitingCount > 0);
  while (isBusy() && Date.now() < deadlineMs) {
    await new Promise((resolve) => setTimeout(resolve, idlePollMs));
  }
  await orm.close();
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
  const result = await clientOf(em).executeQuery<T>(CompiledQuery.raw(text, values));
  return result.rows;
}

/** The transaction of `em`, if it has one; else its pool. */
const clientOf = (em: EntityManager) =>
  em.getTransactionContext<Kysely<unknown>>() ?? em.getConnection().getClient();

/**
 * As `sql`, for what many requests do: PostgreSQL parses and plans it once per connection. For few
 * texts, as each is kept, here and there, as long as the process runs.
 */
export function sqlPrepared<T>(em: EntityManager, text: string, values: unknown[]): Promise<T[]> {
  keepPrepared(text);
  return sql<T>(em, text, values);
}

/** As `sql`, but tells how many rows were changed. */
export async function sqlCount(
  em: EntityManager,
  text: string,
  values: unknown[],
): Promise<number> {
  const result = await clientOf(em).executeQuery(CompiledQuery.raw(text, values));
  return Number(result.numAffectedRows ?? 0);
}

const relistenAfterMs = 1000;

/** Listens to NOTIFY on a connection of its own, and connects anew when that is lost; until stopped. */
export function listenTo(url: string, channel: string, heard: () => void) {
  let stopped = false;
  let client: pg.Client | undefined;
  let retry: NodeJS.Timeout | undefined;
  const connectAgain = () => {
    if (!stopped) retry = setTimeout(() => void open(), relistenAfterMs);
  };
  const open = async () => {
    const made = new pg.Client({
      connectionString: url,
      application_name: `listen:${channel}`,
      connectionTimeoutMillis: connectTimeoutMs,
      keepAlive: true,
    });
    client = made;
    made.on('notification', heard);
    made.on('error', () => {});
    made.once('end', connectAgain);
    try {
      await made.connect();
      await made.query(`listen ${made.escapeIdentifier(channel)}`);
    } catch {
      await made.end().catch(() => {});
    }
  };
  const opening = open();
  return {
    async stop() {
      stopped = true;
      clearTimeout(retry);
      await opening;
      await client?.end().catch(() => {});
    },
  };
}
