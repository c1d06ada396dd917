import { Migrator } from '@mikro-orm/migrations';
import { defineConfig, MikroORM, type Options } from '@mikro-orm/postgresql';
import type pg from 'pg';
import type { Logger } from '../observability/logger.js';
import { BatchUpdateDriver } from './batch-update-driver.js';
import {
  clientClass,
  connectTimeoutMs,
  idleInTransactionTimeoutMs,
  statementTimeoutMs,
  wrapClients,
} from './client.js';
import { queueOf } from './pool/pool-queue.js';
import type { UnusableServerError } from './unusable-server.js';

/** A transaction that lasts longer is ended by PostgreSQL. */
export const transactionTimeoutMs = 4500;
// A statement that waits for a table lock blocks all that come after it: a migration gives up instead.
export const migrationLockTimeoutMs = 2000;

export interface DatabaseSettings {
  /** the subgraph; `application_name` in `pg_stat_activity` */
  readonly name: string;
  readonly url: string;
  readonly poolMax: number;
  /** `lock_timeout`, if shorter than the time limit of statements */
  readonly lockTimeoutMs?: number;
  readonly logger?: Logger;
  /** called with the reason when a connection finds that the server cannot serve, before the connection fails */
  readonly onUnusable?: ((error: UnusableServerError) => void) | undefined;
}
export type Schema = Pick<Options, 'entities'> & {
  readonly migrations: NonNullable<Options['migrations']>['migrationsList'];
  /** those of PostgreSQL that the migrations create */
  readonly extensions?: readonly string[];
  /**
   * false if each frequent statement has an index: a plan that was made while a table was small is kept while it grows
   * (docs/adr/0055-cost-of-a-checkout.md)
   */
  readonly seqScans?: false;
};

/**
 * MikroORM's options for a subgraph. A transaction ends before the lock expires (5 s); `transaction_timeout`
 * needs PostgreSQL 17. Migrations have no time limit for statements, but a short one for locks.
 */
function databaseOptions(
  settings: DatabaseSettings,
  schema: Schema,
  timeLimits: boolean,
  onPool: (pool: pg.Pool) => void,
): Options {
  return defineConfig({
    driver: BatchUpdateDriver,
    clientUrl: settings.url,
    entities: schema.entities ?? [],
    forceUndefined: false,
    ensureDatabase: false,
    discovery: { warnWhenNoEntities: false },
    extensions: [Migrator],
    migrations: {
      migrationsList: schema.migrations ?? [],
      snapshot: false,
      // Each migration has its own transaction, or none: `create index concurrently` cannot run in one.
      allOrNothing: false,
    },
    // Functions are in migrations only (partitions/partition-ddl.ts).
    schemaGenerator: { ignoreRoutines: true },
    pool: { max: settings.poolMax },
    driverOptions: {
      onPoolCreated: onPool,
      Client: clientClass,
      // MikroORM reads host, user and so on from the address, and ignores the rest: sslmode, sslrootcert.
      connectionString: settings.url,
      application_name: settings.name,
      onUnusable: settings.onUnusable,
      connectionTimeoutMillis: connectTimeoutMs,
      keepAlive: true,
      ...(timeLimits
        ? {
            statement_timeout: statementTimeoutMs,
            idle_in_transaction_session_timeout: idleInTransactionTimeoutMs,
            transaction_timeout: transactionTimeoutMs,
            lock_timeout: settings.lockTimeoutMs,
            ...(schema.seqScans === false && { options: '-c enable_seqscan=off' }),
          }
        : { lock_timeout: migrationLockTimeoutMs }),
    },
    logger: (message) => settings.logger?.warn(message),
  });
}

// By MikroORM's connection. The pool is created when the first connection is requested.
const pools = new WeakMap<object, { pool?: pg.Pool }>();

export const poolOf = (orm: MikroORM): pg.Pool | undefined =>
  pools.get(orm.em.getConnection())?.pool;

/** @param afterPool receives the new pool, before its first connection */
export async function connect(
  settings: DatabaseSettings,
  schema: Schema,
  timeLimits = true,
  afterPool: (pool: pg.Pool) => void = () => {},
): Promise<MikroORM> {
  const made: { pool?: pg.Pool } = {};
  const onPool = (pool: pg.Pool) => {
    made.pool = pool;
    wrapClients(pool, timeLimits);
    afterPool(pool);
  };
  const orm = await MikroORM.init(databaseOptions(settings, schema, timeLimits, onPool));
  pools.set(orm.em.getConnection(), made);
  return orm;
}

const idleMaxMs = 5000;
const idlePollMs = 10;

/**
 * Closes the pool once it is idle. If Kysely's pool is closed while a connection is being opened, that
 * connection is lost, and closing never completes.
 */
export async function disconnect(orm: MikroORM): Promise<void> {
  const pool = poolOf(orm);
  const deadlineMs = Date.now() + idleMaxMs;
  const isWaitedFor = () => pool && (pool.waitingCount > 0 || (queueOf(pool)?.length ?? 0) > 0);
  const isBusy = () => pool && (pool.totalCount > pool.idleCount || isWaitedFor());
  while (isBusy() && Date.now() < deadlineMs) {
    await new Promise((resolve) => setTimeout(resolve, idlePollMs));
  }
  await orm.close();
}
