import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Logger } from '../../shared/observability/logger.js';

const probePrefix = 'probe:';
const probeLookMs = 20;
const probeMaxMs = 1000;
const retryMs = 1000;

export interface KeyspaceOptions {
  /** for commands */
  readonly commands: Redis;
  /** a connection to the same database, for what it is told alone */
  readonly events: Redis;
  readonly logger: Logger;
  onExpired(key: string): void;
  /** called when Redis is there, at first and again each time it was away */
  onReady(): Promise<void>;
}

/**
 * Hears of keys that expire. Switches these events on where Redis lets it, and checks with a key of
 * its own that they come: a Redis that forbids CONFIG may give them all the same, or may not.
 */
export function listenForExpiredKeys(options: KeyspaceOptions): void {
  const { commands, events, logger } = options;
  const channel = `__keyevent@${commands.options.db ?? 0}__:expired`;
  const probes = new Map<string, () => void>();

  async function prepare(): Promise<void> {
    if (commands.status !== 'ready' || events.status !== 'ready') return;
    try {
      await events.subscribe(channel);
      const refusal = await switchOn(commands);
      if (!(await eventComes(commands, probes))) {
        const reason = refusal ?? 'it is set, and no event came';
        logger.error(
          { reason },
          'Redis gives no events of keys that expire: set notify-keyspace-events to Ex in its configuration. Until then the sweeper releases holds, some seconds late.',
        );
      }
      await options.onReady();
    } catch (error) {
      logger.warn({ err: error }, 'the events of Redis could not be prepared; it is tried again');
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

/** @returns why Redis does not let us, if it does not */
async function switchOn(commands: Redis): Promise<string | null> {
  try {
    const [, flags = ''] = (await commands.config('GET', 'notify-keyspace-events')) as string[];
    if (flags.includes('E') && /[xA]/.test(flags)) return null;
    // What others have switched on stays on.
    await commands.config('SET', 'notify-keyspace-events', `${flags}Ex`);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

async function eventComes(commands: Redis, probes: Map<string, () => void>): Promise<boolean> {
  const key = probePrefix + randomUUID();
  let giveUp: NodeJS.Timeout | undefined;
  const came = new Promise<boolean>((resolve) => {
    probes.set(key, () => resolve(true));
    giveUp = setTimeout(resolve, probeMaxMs, false);
  });
  // Looking at a key that is due makes Redis notice.
  const look = setInterval(() => void commands.exists(key).catch(() => {}), probeLookMs);
  try {
    await commands.set(key, '', 'PX', 1);
    return await came;
  } finally {
    clearInterval(look);
    clearTimeout(giveUp);
    probes.delete(key);
  }
}
