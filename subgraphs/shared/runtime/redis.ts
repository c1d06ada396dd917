import { Redis, type RedisOptions } from 'ioredis';
import type { Logger } from '../observability/logger.js';
import { gaugeOf, type Registry } from '../observability/metrics.js';

const commandTimeoutMs = 1000;
const connectTimeoutMs = 2000;
const reconnectMaxMs = 1000;
// A Redis that answers nothing for so long is connected to anew; what was sent would pile up here.
const silenceMaxMs = 3000;

/**
 * A connection that fails fast: a command that cannot be sent now, or is not answered in time,
 * is an error rather than a wait. Redis only hurries; nobody may have to wait for it.
 */
export function createRedis(
  url: string,
  logger: Logger,
  role: string,
  options: Pick<RedisOptions, 'commandTimeout' | 'enableAutoPipelining'> = {},
): Redis {
  const redis = new Redis(url, {
    connectionName: `holdfast:${role}`,
    lazyConnect: true,
    enableOfflineQueue: false,
    // ioredis would do it with nobody to catch its failure, which ends a process. Who subscribes does it on `ready`.
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
    commandTimeout: commandTimeoutMs,
    connectTimeout: connectTimeoutMs,
    socketTimeout: silenceMaxMs,
    retryStrategy: (attempt) => Math.min(50 * attempt, reconnectMaxMs),
    ...options,
  });
  let lastMessage = '';
  redis.on('error', (error) => {
    if (error.message !== lastMessage)
      logger.warn({ role, reason: error.message }, 'Redis is away');
    lastMessage = error.message;
  });
  redis.on('ready', () => {
    lastMessage = '';
  });
  return redis;
}

/** The first connection of a process: the process starts though Redis is away, and says so. */
export async function connectRedis(redis: Redis, logger: Logger): Promise<void> {
  await redis.connect().catch((error: Error) => {
    logger.error({ reason: error.message }, 'Redis is away at start; it is tried again');
  });
}

/** Shows which connections are there. @param connections what each is for → the connection */
export function watchRedis(registry: Registry, connections: Readonly<Record<string, Redis>>): void {
  const up = {
    name: 'holdfast_redis_up',
    help: 'Whether a connection to Redis is ready: 1, or 0. Without Redis all is slower, not wrong.',
    label: 'role',
  };
  gaugeOf(registry, up, () =>
    Object.fromEntries(
      Object.entries(connections).map(([role, { status }]) => [role, status === 'ready' ? 1 : 0]),
    ),
  );
}

/** Ends a connection; what it was asked before is answered first. */
export async function closeRedis(redis: Redis): Promise<void> {
  if (redis.status !== 'ready') return redis.disconnect();
  await redis.quit().catch(() => redis.disconnect());
}
