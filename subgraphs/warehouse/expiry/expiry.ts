import type { Redis } from 'ioredis';
import { sql } from '../../shared/database/sql.js';
import { startWorker } from '../../shared/runtime/worker.js';
import { orderOfTimer, type ReservationTimer } from '../signals/reservation-timers.js';
import type { StockStore } from '../stock/stock-store.js';
import { expireOrSplit } from './expire-reservations.js';
import { listenForExpiredKeys } from './keyspace-events.js';

const gatherMs = 10;
const batchMax = 256;
const sweepMax = 1000;
const nudgeEveryMs = 20;
// How long the keyspace event may take before the sweeper does without it.
const sweepGraceMs = 2000;
const rearmMax = 100_000;

export interface ExpiryOptions {
  readonly store: StockStore;
  /** the connection to the Redis database of the timers, for commands */
  readonly timers: Redis;
  /** a connection to the same database, for its events alone */
  readonly events: Redis;
  readonly sweepEveryMs: number;
}

/**
 * Releases holds when their time is up, until stopped. Redis's keyspace events hurry it; a sweeper
 * over `expires_at` finds what Redis lost, so that no hold outlives its time by more than 5 s while
 * PostgreSQL runs.
 */
export function startExpiry(options: ExpiryOptions): { stop(): Promise<void> } {
  const { store, timers, events } = options;
  const { logger, metrics, signals } = store;
  const batches = startBatches(store);
  listenForExpiredKeys({
    commands: timers,
    events,
    logger,
    onExpired: (key) => {
      const orderId = orderOfTimer(key);
      if (orderId) batches.add(orderId);
    },
    onReady: async () => signals.send({ armed: await readTimers(store) }),
  });
  const nudger = startWorker('nudge of due timers', nudgeEveryMs, logger, () =>
    signals.watch.nudge(timers),
  );
  const failed = new Set<string>();
  const sweeper = startWorker(
    'sweep of due holds',
    options.sweepEveryMs,
    logger,
    async (isStopping) => {
      failed.clear();
      // Batch after batch, as long as there is more that can be ended.
      for (let more = true; more && !isStopping(); ) {
        const [due, failedBefore] = [await readOverdue(store, failed), failed.size];
        const ended = await expireOrSplit(store, due, failed);
        metrics.sweeperFinds.inc(ended);
        // What another process is ending now would be found again at once.
        more = due.length === sweepMax && (ended > 0 || failed.size > failedBefore);
      }
    },
  );
  return {
    async stop() {
      await Promise.all([nudger.stop(), sweeper.stop()]);
      await batches.stop();
    },
  };
}

/** Gathers what is due for some milliseconds, then ends it, one batch at a time. */
function startBatches(store: StockStore) {
  const gathered = new Set<string>();
  let gathering: NodeJS.Timeout | undefined;
  let working: Promise<void> | undefined;

  async function work(): Promise<void> {
    while (gathered.size > 0) {
      const orderIds = [...gathered].slice(0, batchMax);
      for (const orderId of orderIds) gathered.delete(orderId);
      await expireOrSplit(store, orderIds, new Set()).catch((error) =>
        store.logger.error({ err: error }, 'holds could not be expired; the sweeper finds them'),
      );
    }
  }
  return {
    add(orderId: string): void {
      gathered.add(orderId);
      gathering ??= setTimeout(() => {
        gathering = undefined;
        working ??= work().finally(() => {
          working = undefined;
        });
      }, gatherMs);
    },
    async stop() {
      clearTimeout(gathering);
      gathered.clear();
      await working;
    },
  };
}

async function readOverdue({ orm }: StockStore, failed: ReadonlySet<string>): Promise<string[]> {
  const rows = await sql<{ orderId: string }>(
    orm.em.fork(),
    `select order_id as "orderId" from reservation
     where state = 'HELD' and expires_at < now() - $1 * interval '1 ms'
       and order_id <> all($3::uuid[])
     order by expires_at limit $2`,
    [sweepGraceMs, sweepMax, [...failed]],
  );
  return rows.map(({ orderId }) => orderId);
}

async function readTimers({ orm }: StockStore): Promise<ReservationTimer[]> {
  const rows = await sql<{ orderId: string; expiresAt: string }>(
    orm.em.fork(),
    `select order_id as "orderId", expires_at as "expiresAt" from reservation
     where state = 'HELD' order by expires_at limit $1`,
    [rearmMax],
  );
  return rows.map(({ orderId, expiresAt }) => ({ orderId, expiresAt: new Date(expiresAt) }));
}
