import { ConfigError } from '../../shared/config.js';
import type { Logger } from '../../shared/observability/logger.js';
import { isNoRight, takesWrites } from '../../shared/runtime/redis-probe.js';
import { startWorker } from '../../shared/runtime/worker.js';
import {
  createEventProbe,
  type EventConnections,
  enableEvents,
  expiredChannel,
} from './event-probe.js';

const proveEveryMs = 1000;
/** probes in a row of which no message arrived, after which the subscriber is connected again */
const missesMax = 3;
const startProbesMax = 5;

const rights =
  '~probe:*, +set, +exists, +publish, +subscribe, &probe:* and the channel of expired keys';
const whatToSet = 'set notify-keyspace-events to Ex in its configuration';

export interface KeyspaceOptions extends EventConnections {
  readonly logger: Logger;
  onExpired(key: string): void;
  /** called when events can arrive: at the start, and each time Redis was away */
  onReady(): Promise<void>;
}

export interface ExpiredKeys {
  /** Whether the event of the last probe arrived. */
  areReceived(): boolean;
  stop(): Promise<void>;
}

/**
 * Calls `onExpired` for each key that expires. The events are always in one of these states:
 *
 * - NEW: since a connection was made. The channels are subscribed, events are switched on if Redis permits
 *   it, and a probe is run. → RECEIVED or MISSED; `onReady` is called in both cases.
 * - RECEIVED: a probe is run each second. → MISSED.
 * - MISSED: if a failover took the setting away, it is set again. If messages do not arrive either, the
 *   subscriber is at another server than the commands: it is connected again after `missesMax` probes. →
 *   RECEIVED by a probe. Meanwhile the sweeper works.
 */
export function listenForExpiredKeys(options: KeyspaceOptions): ExpiredKeys {
  const { commands, events, logger } = options;
  const channel = expiredChannel(options);
  const probe = createEventProbe(options);
  let connections = 1;
  let preparedConnections = 0;
  let isReceived = false;
  let misses = 0;
  let lastReason: string | undefined;

  async function prove(): Promise<void> {
    const isNew = preparedConnections !== connections;
    const seen = connections;
    if (isNew) await probe.subscribe();
    let refusal = isNew ? await enableEvents(commands) : null;
    let arrived = await probe.run();
    if (!arrived.event && !isNew) {
      refusal = await enableEvents(commands);
      arrived = await probe.run();
    }
    isReceived = arrived.event;
    misses = arrived.message ? 0 : misses + 1;
    report(arrived.event ? undefined : (refusal ?? 'it is set, and no event arrived'));
    if (misses >= missesMax) {
      misses = 0;
      logger.warn('the subscriber of expired keys received no message; connecting it again');
      events.disconnect(true);
    } else if (isNew) {
      await options.onReady();
      preparedConnections = seen;
    }
  }

  function report(reason: string | undefined): void {
    if (reason !== undefined && reason !== lastReason) {
      logger.error(
        { reason },
        `Redis sends no events of expired keys; ${whatToSet}. Until then the sweeper expires reservations, some seconds late.`,
      );
    }
    lastReason = reason;
  }

  events.on('message', (from, key) => {
    if (from === channel) options.onExpired(key);
  });
  const worker = startWorker('proof of expiry events', proveEveryMs, logger, async () => {
    if (!takesWrites(commands) || !takesWrites(events)) {
      isReceived = false;
      return;
    }
    await prove().catch((error: Error) => {
      isReceived = false;
      if (error.message === lastReason) return;
      lastReason = error.message;
      const fields = { reason: error.message };
      if (isNoRight(error))
        logger.error(fields, `the user of Redis lacks a right; grant it ${rights}`);
      else logger.warn(fields, 'events of expired keys not checked; trying again');
    });
  });
  const connected = () => {
    connections += 1;
    worker.wake();
  };
  for (const connection of [commands, events]) connection.on('ready', connected);
  worker.wake();
  return {
    areReceived: () => isReceived,
    async stop() {
      for (const connection of [commands, events]) connection.off('ready', connected);
      await worker.stop();
    },
  };
}

/**
 * Checks at the start of a process that Redis sends events of expired keys, or can be configured to. One that
 * cannot be reached does not stop the process: the sweeper works without it.
 *
 * @throws ConfigError
 */
export async function requireExpiryEvents(connections: EventConnections): Promise<void> {
  const { commands, events } = connections;
  if (!takesWrites(commands) || !takesWrites(events)) return;
  const refusal = await findRefusal(connections).catch(() => null);
  if (refusal === null) return;
  throw new ConfigError([
    `TIMER_REDIS_URL: its Redis sends no events of expired keys and refuses CONFIG (${refusal}): ${whatToSet}`,
  ]);
}

/** @returns why events cannot be had; null if they are on, or arrive nevertheless */
async function findRefusal(connections: EventConnections): Promise<string | null> {
  const refusal = await enableEvents(connections.commands);
  if (refusal === null) return null;
  const probe = createEventProbe(connections);
  await probe.subscribe();
  for (let n = 0; n < startProbesMax; n++) if ((await probe.run()).event) return null;
  return refusal;
}
