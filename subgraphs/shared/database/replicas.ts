import type { MikroORM, PostgreSqlConnection } from '@mikro-orm/postgresql';
import pg from 'pg';
import type { Logger } from '../observability/logger.js';
import type { CheckedClientConfig } from './checked-client.js';
import { watchConnections } from './client.js';
import { connect, type DatabaseSettings, disconnect, type Schema } from './connect.js';
import { isDatabaseUnavailable } from './errors.js';
import { PoolBusy, poolQueueLimits, queueForPool } from './pool/pool-queue.js';

const connectTimeoutMs = 1000;
const unreachableMs = 5000;
// The error of a standby for a statement that conflicts with the replay of changes from the primary.
const recoveryConflict = '40001';

interface Replica {
  readonly pool: pg.Pool;
  skipUntilMs: number;
}

/**
 * Connects for reads that may lag: they go to the replicas in turn, and to the primary if no replica
 * responds. It cannot write. What a decision is based on, and what must see a recent write, has to be read
 * from the primary.
 *
 * @param urls of the replicas; without any, the primary itself is returned
 */
export async function connectForReading(
  primary: MikroORM,
  settings: DatabaseSettings,
  urls: readonly string[],
  schema: Schema,
): Promise<MikroORM> {
  const [first] = urls;
  if (!first) return primary;
  const primaryPool = () => (primary.em.getConnection() as PostgreSqlConnection).getNativeClient();
  return connect({ ...settings, url: first }, schema, true, (base) => {
    const replicas = urls.map((url) => ({ pool: replicaPool(base, url), skipUntilMs: 0 }));
    const connectForRead = createReadConnect(replicas, primaryPool, settings.logger);
    const endBase = base.end.bind(base);
    // The pool is MikroORM's, which configures how values are parsed; only its connections are replaced.
    Object.assign(base, {
      connect: connectForRead,
      end: () => Promise.all([endBase(), ...replicas.map(({ pool }) => pool.end())]),
    });
  });
}

/** Disconnects the reads, unless they use the primary, and then the primary. */
export async function disconnectAll(primary: MikroORM, reads: MikroORM): Promise<void> {
  if (reads !== primary) await disconnect(reads);
  await disconnect(primary);
}

function replicaPool({ options }: pg.Pool, url: string): pg.Pool {
  const config: pg.PoolConfig & CheckedClientConfig = {
    ...options,
    connectionString: url,
    connectionTimeoutMillis: connectTimeoutMs,
    options: `${options.options ?? ''} -c default_transaction_read_only=on`,
    // Without a replica the primary answers.
    onUnusable: undefined,
  };
  const pool = new pg.Pool(config);
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  watchConnections(pool);
  queueForPool(pool, { ...poolQueueLimits(pool.options.max), readsMax: pool.options.max });
  return pool;
}

/** @returns a function that opens a connection to a replica, or to the primary while none is reachable */
function createReadConnect(
  replicas: readonly Replica[],
  primaryPool: () => Promise<pg.Pool>,
  logger: Logger | undefined,
) {
  let turn = 0;
  const skipForNow = (replica: Replica, error: unknown) => {
    replica.skipUntilMs = Date.now() + unreachableMs;
    logger?.warn({ reason: (error as Error).message }, 'replica unreachable');
  };
  const readFromPrimary = async (args: unknown[]) => {
    const client = await (await primaryPool()).connect();
    try {
      return await query(client, args);
    } finally {
      client.release();
    }
  };
  /** A connection that repeats a failed statement on the primary. */
  const guarded = (replica: Replica, client: pg.PoolClient) => ({
    processID: (client as { processID?: number }).processID,
    release: (error?: Error | boolean) => client.release(error),
    async query(...args: unknown[]) {
      try {
        return await query(client, args);
      } catch (error) {
        const { code } = error as { code?: string };
        if (isDatabaseUnavailable(error)) skipForNow(replica, error);
        else if (code !== recoveryConflict) throw error;
        return readFromPrimary(args);
      }
    },
  });
  return async () => {
    turn += 1;
    for (let n = 0; n < replicas.length; n++) {
      const replica = replicas[(turn + n) % replicas.length] as Replica;
      if (replica.skipUntilMs > Date.now()) continue;
      try {
        return guarded(replica, await replica.pool.connect());
      } catch (error) {
        // It is busy, not unreachable: what it cannot take would be too much for the primary, too.
        if (error instanceof PoolBusy) throw error;
        skipForNow(replica, error);
      }
    }
    return (await primaryPool()).connect();
  };
}

const query = (client: pg.PoolClient, [text, values]: unknown[]) =>
  client.query(text as string, values as unknown[]);
