import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Logger } from '../../shared/observability/logger.js';

const probePrefix = 'probe:';
const probeReadMs = 20;
const probeMaxMs = 1000;
const retryMs = 1000;

export interface KeyspaceOptions {
  /** for commands */
  readonly commands: Redis;
  /** a connection to the same database that only receives its events */
  readonly events: Redis;
  readonly logger: Logger;
  onExpired(key: string): void;
  /** called when Redis is ready: at the start, and each time it was away */
  onReady(): Promise<void>;
}

/**
 * Calls `onExpired` for each key that expires. Switches these events on if Redis permits it, and
 * checks with a key of its own that they arrive: a Redis that forbids CONFIG may send them, or may
 * not.
 */
export function listenForExpiredKeys(options: KeyspaceOptions): void {
  const { commands, events, logger } = options;
  const channel = `__keyevent@${commands.options.db ?? 0}__:expired`;
  const probes = new Map<string, () => void>();

  async function prepare(): Promise<void> {
    if (commands.status !== 'ready' || events.status !== 'ready') return;
    try {
      await events.subscribe(channel);
      const refusal = await enableEvents(commands);
      if (!(await eventsArrive(commands, probes))) {
        const reason = refusal ?? 'it is set, and no event arrived';
        logger.error(
          { reason },
          'Redis sends no events of expired keys; set notify-keyspace-events to Ex in its configuration. Until then the sweeper expires reservations, some seconds late.',
        );
      }
      await options.onReady();
    } catch (error) {
      logger.warn({ err: error }, 'keyspace events not set up; trying again');
      setTimeout(() => void prepare(), retryMs).unref();
    }
  }

  events.on('message', (from, key) => {
    if (from !== channel) return;
    if (key.startsWith(probePrefix)) probes.get(key)?.();
    else options.onExpired(key);
  });
  for (const connection of [commands, events]) connection.on('ready', () => void prepare());
  void prepare();
}

/** @returns why Redis refuses it; null when it does not */
async function enableEvents(commands: Redis): Promise<string | null> {
  try {
    const [, flags = ''] = (await commands.config('GET', 'notify-keyspace-events')) as string[];
    if (flags.includes('E') && /[xA]/.test(flags)) return null;
    // Events that others have switched on stay on.
    await commands.config('SET', 'notify-keyspace-events', `${flags}Ex`);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

async function eventsArrive(commands: Redis, probes: Map<string, () => void>): Promise<boolean> {
  const key = probePrefix + randomUUID();
  let timeout: NodeJS.Timeout | undefined;
  const arrived = new Promise<boolean>((resolve) => {
    probes.set(key, () => resolve(true));
    timeout = setTimeout(resolve, probeMaxMs, false);
  });
  // Redis expires a key that is due when it is read.
  const read = setInterval(() => void commands.exists(key).catch(() => {}), probeReadMs);
  try {
    await commands.set(key, '', 'PX', 1);
    return await arrived;
  } finally {
    clearInterval(read);
    clearTimeout(timeout);
    probes.delete(key);
  }
}
