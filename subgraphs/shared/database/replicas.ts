import type { MikroORM, PostgreSqlConnection } from '@mikro-orm/postgresql';
import pg from 'pg';
import type { Logger } from '../observability/logger.js';
import { watchConnections } from './client.js';
import { connect, type DatabaseSettings, disconnect, type Schema } from './connect.js';
import { isDatabaseAway } from './errors.js';

const connectTimeoutMs = 1000;
const awayMs = 5000;
// What a standby says of a statement that stood in the way of what the primary had it do.
const recoveryConflict = '40001';

interface Replica {
  readonly pool: pg.Pool;
  awayUntilMs: number;
}

/**
 * A manager's root for reads that may lag behind: they go to the replicas in turn, and to the primary
 * where there is none or none answers. Nothing can be written by it. Who decides anything by what it
 * reads, and whoever wrote a moment ago, has to read from the primary.
 *
 * @param urls of the replicas; without any it is the primary itself
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
    const replicas = urls.map((url) => ({ pool: replicaPool(base, url), awayUntilMs: 0 }));
    const reads = readsFrom(replicas, primaryPool, settings.logger);
    const endBase = base.end.bind(base);
    // MikroORM makes the pool, and with it how values are read; where its connections come from is ours.
    Object.assign(base, {
      connect: reads,
      end: () => Promise.all([endBase(), ...replicas.map(({ pool }) => pool.end())]),
    });
  });
}

/** Closes what reads, where it is not the primary itself, and then the primary. */
export async function disconnectAll(primary: MikroORM, reads: MikroORM): Promise<void> {
  if (reads !== primary) await disconnect(reads);
  await disconnect(primary);
}

function replicaPool({ options }: pg.Pool, url: string): pg.Pool {
  const pool = new pg.Pool({
    ...options,
    connectionString: url,
    connectionTimeoutMillis: connectTimeoutMs,
    options: `${options.options ?? ''} -c default_transaction_read_only=on`,
  });
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  watchConnections(pool);
  return pool;
}

/** @returns what gives a connection to a replica, or one to the primary while all of them are away */
function readsFrom(
  replicas: readonly Replica[],
  primaryPool: () => Promise<pg.Pool>,
  logger: Logger | undefined,
) {
  let turn = 0;
  const markAway = (replica: Replica, error: unknown) => {
    replica.awayUntilMs = Date.now() + awayMs;
    logger?.warn({ reason: (error as Error).message }, 'a replica is away');
  };
  const readFromPrimary = async (args: unknown[]) => {
    const client = await (await primaryPool()).connect();
    try {
      return await query(client, args);
    } finally {
      client.release();
    }
  };
  /** A connection that asks the primary what the replica does not answer. */
  const guarded = (replica: Replica, client: pg.PoolClient) => ({
    processID: (client as { processID?: number }).processID,
    release: (error?: Error | boolean) => client.release(error),
    async query(...args: unknown[]) {
      try {
        return await query(client, args);
      } catch (error) {
        const { code } = error as { code?: string };
        if (isDatabaseAway(error)) markAway(replica, error);
        else if (code !== recoveryConflict) throw error;
        return readFromPrimary(args);
      }
    },
  });
  return async () => {
    turn += 1;
    for (let n = 0; n < replicas.length; n++) {
      const replica = replicas[(turn + n) % replicas.length] as Replica;
      if (replica.awayUntilMs > Date.now()) continue;
      try {
        return guarded(replica, await replica.pool.connect());
      } catch (error) {
        markAway(replica, error);
      }
    }
    return (await primaryPool()).connect();
  };
}

const query = (client: pg.PoolClient, [text, values]: unknown[]) =>
  client.query(text as string, values as unknown[]);
