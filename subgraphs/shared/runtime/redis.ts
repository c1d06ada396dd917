import { Redis, type RedisOptions } from 'ioredis';
import type { Logger } from '../observability/logger.js';
import { gaugeOf, type Registry } from '../observability/metrics.js';
import {
  isOfDemotedServer,
  isReply,
  missingRight,
  probeCommands,
  probeWrites,
  takesWrites,
} from './redis-probe.js';

const commandTimeoutMs = 1000;
const connectTimeoutMs = 2000;
const reconnectMinMs = 50;
const reconnectMaxMs = 1000;
// Reconnect if Redis does not respond for this long; commands would pile up here otherwise.
const silenceMaxMs = 3000;
// ioredis waits this long before it destroys a connection that it ends. Its timer keeps the process
// alive, even if the connection was gone before.
const disconnectMaxMs = 200;

/**
 * A connection that fails fast: a command that cannot be sent at once, or gets no reply in time, is an
 * error. Redis only accelerates; no request may have to wait for it. A connection to a server that takes no
 * writes is closed and made again (`redis-probe.ts`).
 */
export function createRedis(
  url: string,
  logger: Logger,
  role: string,
  options: Pick<RedisOptions, 'commandTimeout' | 'enableAutoPipelining'> = {},
): Redis {
  // Since the last write: a server that takes connections and no writes is tried again later each time.
  let attempts = 0;
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
    retryStrategy: () => reconnectDelayMs(attempts++),
    reconnectOnError: isOfDemotedServer,
    // A pipeline that a probe has begun lacks a script that is defined later, and ioredis then throws outside of any call.
    autoPipeliningIgnoredCommands: probeCommands,
    ...options,
  });
  let lastMessage = '';
  const warn = (message: string) => (error: Error) => {
    if (error.message === lastMessage) return;
    lastMessage = error.message;
    const right = missingRight(error);
    if (right) logger.error({ role, reason: error.message }, right);
    else logger.warn({ role, reason: error.message }, message);
  };
  redis.on('error', warn('Redis connection failed'));
  probeWrites(redis, role, {
    works() {
      attempts = 0;
      lastMessage = '';
    },
    failed: warn('Redis takes no writes'),
  });
  return redis;
}

/** Doubles with each attempt up to a second, less up to half of it, so that processes do not reconnect together. */
function reconnectDelayMs(attempt: number): number {
  const delayMs = Math.min(reconnectMinMs * 2 ** attempt, reconnectMaxMs);
  return Math.round(delayMs * (1 - Math.random() / 2));
}

/**
 * Subscribes to a channel as soon as a connection is ready, and again each time it is made again. A
 * connection that does not answer to that is closed, as it would receive nothing.
 */
export function keepSubscribed(redis: Redis, channel: string): void {
  const subscribe = () =>
    redis.subscribe(channel).catch((error) => {
      if (!isReply(error) && redis.status === 'ready') redis.disconnect(true);
    });
  if (redis.status === 'ready') void subscribe();
  redis.on('ready', subscribe);
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
    help: '1 if the connection to Redis takes writes, else 0. Without Redis everything is slower, but correct.',
    label: 'role',
  };
  gaugeOf(registry, up, () =>
    Object.fromEntries(
      Object.entries(connections).map(([role, redis]) => [role, takesWrites(redis) ? 1 : 0]),
    ),
  );
}

/** Closes a connection after the replies to its pending commands. */
export async function closeRedis(redis: Redis): Promise<void> {
  if (redis.status === 'end') return;
  if (redis.status !== 'ready') return redis.disconnect();
  await redis.quit().catch(() => redis.disconnect());
}
