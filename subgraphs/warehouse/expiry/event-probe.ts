import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { isReply } from '../../shared/runtime/redis-probe.js';

const probePrefix = 'probe:';
const readEveryMs = 20;
const probeMaxMs = 1000;

export interface EventConnections {
  /** for commands */
  readonly commands: Redis;
  /** a connection to the same database that only receives its events */
  readonly events: Redis;
}

/** What has arrived of a probe. */
export interface Arrived {
  /** the event that its key has expired */
  readonly event: boolean;
  /** a message that was published: both connections lead to the same server */
  readonly message: boolean;
}

/** Sets keys that expire at once, and publishes messages, to see whether both arrive at the subscriber. */
export interface EventProbe {
  /** Subscribes to the events of expired keys, too. */
  subscribe(): Promise<unknown>;
  /** Waits for a second at most. */
  run(): Promise<Arrived>;
}

export const expiredChannel = ({ commands }: EventConnections) =>
  `__keyevent@${commands.options.db ?? 0}__:expired`;

export function createEventProbe(connections: EventConnections): EventProbe {
  const { commands, events } = connections;
  const expired = expiredChannel(connections);
  const published = probePrefix + randomUUID();
  const channelsOf = new Map<string, Set<string>>();
  events.on('message', (channel, key) => channelsOf.get(key)?.add(channel));
  return {
    subscribe: () => events.subscribe(expired, published),
    async run() {
      const key = probePrefix + randomUUID();
      const channels = new Set<string>();
      channelsOf.set(key, channels);
      try {
        await commands.publish(published, key);
        await commands.set(key, '', 'PX', 1);
        const latestMs = performance.now() + probeMaxMs;
        while (channels.size < 2 && performance.now() < latestMs) {
          await sleep(readEveryMs);
          // Redis expires a key that is due when it is read.
          await commands.exists(key);
        }
      } finally {
        channelsOf.delete(key);
      }
      return { event: channels.has(expired), message: channels.has(published) };
    },
  };
}

/**
 * Switches events of expired keys on, if they are off.
 *
 * @returns why Redis refuses to say or to do it; null when they are on
 */
export async function enableEvents(commands: Redis): Promise<string | null> {
  try {
    const [, flags = ''] = (await commands.config('GET', 'notify-keyspace-events')) as string[];
    if (flags.includes('E') && /[xA]/.test(flags)) return null;
    // Events that others have switched on stay on.
    await commands.config('SET', 'notify-keyspace-events', `${flags}Ex`);
    return null;
  } catch (error) {
    if (!isReply(error)) throw error;
    return (error as Error).message;
  }
}
