import { Redis, type RedisOptions } from 'ioredis';
import type { Logger } from '../observability/logger.js';
import { gaugeOf, type Registry } from '../observability/metrics.js';

const commandTimeoutMs = 1000;
const connectTimeoutMs = 2000;
const reconnectMaxMs = 1000;
// Reconnect if Redis does not respond for this long; commands would pile up here otherwise.
const silenceMaxMs = 3000;
// ioredis waits this long before it destroys a connection that it ends. Its timer keeps the process
// alive, even if the connection was gone before.
const disconnectMaxMs = 200;

/**
 * A connection that fails fast: a command that cannot be sent at once, or gets no reply in time, is an
 * error. Redis only accelerates; no request may have to wait for it.
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
    // ioredis would not catch a failure of it, which ends the process. Subscribers subscribe on `ready`.
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
    commandTimeout: commandTimeoutMs,
    connectTimeout: connectTimeoutMs,
    socketTimeout: silenceMaxMs,
    disconnectTimeout: disconnectMaxMs,
    retryStrategy: (attempt) => Math.min(50 * attempt, reconnectMaxMs),
    ...options,
  });
  let lastMessage = '';
  redis.on('error', (error) => {
    if (error.message !== lastMessage)
      logger.warn({ role, reason: error.message }, 'Redis connection failed');
    lastMessage = error.message;
  });
  redis.on('ready', () => {
    lastMessage = '';
  });
  return redis;
}

/** Connects at the start of a process, which starts even if Redis is unreachable. */
export async function connectRedis(redis: Redis, logger: Logger): Promise<void> {
  await redis.connect().catch((error: Error) => {
    logger.error({ reason: error.message }, 'Redis connection failed at start; retrying');
  });
}

/** Exposes the state of connections. @param connections role → connection */
export function watchRedis(registry: Registry, connections: Readonly<Record<string, Redis>>): void {
  const up = {
    name: 'holdfast_redis_up',
    help: '1 if the connection to Redis is ready, else 0. Without Redis everything is slower, but correct.',
    label: 'role',
  };
  gaugeOf(registry, up, () =>
    Object.fromEntries(
      Object.entries(connections).map(([role, { status }]) => [role, status === 'ready' ? 1 : 0]),
    ),
  );
}

/** Closes a connection after the replies to its pending commands. */
export async function closeRedis(redis: Redis): Promise<void> {
  if (redis.status === 'end') return;
  if (redis.status !== 'ready') return redis.disconnect();
  await redis.quit().catch(() => redis.disconnect());
}
