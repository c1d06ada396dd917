import type { Registry } from '../../observability/metrics.js';
import { telemetry } from '../../observability/telemetry/telemetry.js';
import { startWorker, type Worker } from '../../runtime/worker.js';
import { onEnqueued } from '../outbox.js';
import { claim } from './claim.js';
import { type DeliveryParts, deliver, unreachableRetryMs } from './deliver.js';
import { isUsed, type Lane, laneName, lanesOf } from './lane.js';
import { notifyRelays } from './notify-relays.js';
import { watchOutbox } from './watch-outbox.js';

export interface RelayOptions extends DeliveryParts {
  readonly databaseUrl: string;
  readonly registry: Registry;
  /** interval of polling without a notification */
  readonly pollMs?: number;
}

const pollDefaultMs = 500;
/** How many times as long is the interval of a lane without a topic. */
const pollUnusedFactor = 20;

/**
 * Delivers the entries of the outbox to their consumers until stopped, each lane in a loop of its own. A
 * commit of this process wakes the lanes of its consumers; polling is the fallback, and NOTIFY has other
 * processes help with what this one could not deliver at once.
 */
export function startRelay(options: RelayOptions): { stop(): Promise<void> } {
  const consumers = Object.keys(options.consumers);
  watchOutbox(options, consumers);
  const lanes = new Map(
    consumers.map((consumer) => [consumer, startLanes(options, consumer)] as const),
  );
  const wake = (woken: readonly string[]) => {
    for (const consumer of woken) lanes.get(consumer)?.wake();
  };
  for (const each of lanes.values()) each.wakeAll();
  const others = notifyRelays(options.databaseUrl, {
    onNotified: wake,
    isBusy: (consumer) => lanes.get(consumer)?.isBusy() === true,
  });
  onEnqueued(options, (marked) => {
    wake(marked);
    others.notify(marked);
  });
  return {
    async stop() {
      await Promise.all([...[...lanes.values()].map((each) => each.stop()), others.stop()]);
    },
  };
}

/** The lanes of a consumer. No batch of `latest` begins while this process has one of `each`. */
function startLanes(options: RelayOptions, consumer: string) {
  const pollMs = options.pollMs ?? pollDefaultMs;
  let before: Promise<unknown> | undefined;
  const active = new Set<Lane>();
  const lanes = lanesOf([consumer]);
  const workers = lanes.map((lane): Worker => {
    let resumeAtMs = 0;
    async function run(isStopping: () => boolean) {
      active.add(lane);
      try {
        while (!isStopping() && performance.now() >= resumeAtMs) {
          if (lane.delivery === 'latest') await before;
          if (isStopping()) break;
          const { isFull, isReached } = await deliverBatch(options, lane);
          if (!isReached) resumeAtMs = performance.now() + unreachableRetryMs;
          if (!isFull) break;
        }
      } finally {
        active.delete(lane);
      }
    }
    const everyMs = isUsed(lane) ? pollMs : pollMs * pollUnusedFactor;
    return startWorker(`outbox to ${laneName(lane)}`, everyMs, options.logger, (isStopping) => {
      const running = run(isStopping);
      if (lane.delivery === 'each') before = running.catch(() => {});
      return running;
    });
  });
  const used = workers.filter((_, n) => isUsed(lanes[n] as Lane));
  return {
    wakeAll() {
      for (const worker of workers) worker.wake();
    },
    wake() {
      for (const worker of used) worker.wake();
    },
    isBusy: () => active.size > 0,
    stop: () => Promise.all(workers.map((worker) => worker.stop())),
  };
}

/** Delivers one batch of due entries of a lane. */
async function deliverBatch(parts: DeliveryParts, lane: Lane) {
  const claimed = await claim(parts.em, lane);
  const { isFull } = claimed;
  const count = claimed.entries.length;
  if (count === 0) return { count, isFull, isReached: true };
  const work = () => deliver(parts, lane, claimed);
  const isReached = await (telemetry()?.inSpan(`outbox to ${lane.consumer}`, work) ?? work());
  return { count, isFull, isReached };
}

/**
 * Delivers one batch of each lane, as a relay does in one turn.
 *
 * @returns the number of entries that it sent, or tried to
 */
export async function relayOnce(parts: DeliveryParts): Promise<number> {
  let count = 0;
  for (const lane of lanesOf(Object.keys(parts.consumers))) {
    count += (await deliverBatch(parts, lane)).count;
  }
  return count;
}
