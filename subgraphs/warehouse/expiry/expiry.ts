import type { Redis } from 'ioredis';
import { sql } from '../../shared/database/sql.js';
import { startWorker } from '../../shared/runtime/worker.js';
import { HeldRows } from '../reservation/dispatcher/run-batch-isolating.js';
import { orderOfTimer, type ReservationTimer } from '../signals/reservation-timers.js';
import type { StockStore } from '../stock/stock-store.js';
import { expireIsolating } from './expire-reservations.js';
import { listenForExpiredKeys } from './keyspace-events.js';
import { startSweeper } from './sweep-overdue.js';

const gatherMs = 10;
const batchMax = 256;
const nudgeEveryMs = 20;
const rearmMax = 100_000;

export interface ExpiryOptions {
  readonly store: StockStore;
  /** a connection to the Redis database of the timers, for commands */
  readonly timers: Redis;
  /** a connection to the same database that only receives its events */
  readonly events: Redis;
  readonly sweepEveryMs: number;
}

export interface Expiry {
  /** Whether events of expired keys arrive in this process. */
  areEventsReceived(): boolean;
  stop(): Promise<void>;
}

/**
 * Expires reservations when their time is up, until stopped. A reservation that is `HELD` is always
 * in one of these states:
 *
 * - TIMED: its timer, a key in Redis, expires shortly after `expiresAt`. → GATHERED by the keyspace
 *   event of the expired key, which each process receives. `nudge` reads keys that are due, as
 *   Redis may leave them for seconds otherwise.
 * - GATHERED: in a batch of this process, for up to `gatherMs`. → EXPIRED when the batch commits. →
 *   TIMED when PostgreSQL’s clock has not reached `expiresAt`. → OVERDUE when the batch fails, or
 *   another transaction has the row.
 * - OVERDUE: `sweepGraceMs` past `expiresAt`, so that its event or timer was lost. → EXPIRED by the
 *   sweeper of any process, at most 5 s after `expiresAt` while PostgreSQL is up. One that cannot
 *   be expired is left out until the next sweep.
 *
 * PostgreSQL alone decides (`expireReservations`); the sweeper alone would be correct, and events
 * only make it sooner (ADR 25). When Redis comes back, each process sets the timers of all that are
 * `HELD`.
 */
export function startExpiry(options: ExpiryOptions): Expiry {
  const { store, timers, events } = options;
  const { logger, signals } = store;
  const held = new HeldRows();
  const batches = startBatches(store, held);
  const expiredKeys = listenForExpiredKeys({
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
  const sweeper = startSweeper(store, options.sweepEveryMs, held);
  return {
    areEventsReceived: () => expiredKeys.areReceived(),
    async stop() {
      await Promise.all([expiredKeys.stop(), nudger.stop(), sweeper.stop()]);
      await batches.stop();
    },
  };
}

/** Gathers orders for `gatherMs` after the first, then expires them, one batch at a time. */
function startBatches(store: StockStore, held: HeldRows) {
  const gathered = new Set<string>();
  let gathering: NodeJS.Timeout | undefined;
  let working: Promise<void> | undefined;

  async function work(): Promise<void> {
    while (gathered.size > 0) {
      const orderIds = [...gathered].slice(0, batchMax);
      for (const orderId of orderIds) gathered.delete(orderId);
      await expireIsolating(store, orderIds, new Set(), held).catch((error) =>
        store.logger.error({ err: error }, 'reservations not expired; the sweeper tries again'),
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

async function readTimers({ orm }: StockStore): Promise<ReservationTimer[]> {
  const rows = await sql<{ orderId: string; expiresAt: string }>(
    orm.em.fork(),
    `select order_id as "orderId", expires_at as "expiresAt" from reservation
     where state = 'HELD' order by expires_at limit $1`,
    [rearmMax],
  );
  return rows.map(({ orderId, expiresAt }) => ({ orderId, expiresAt: new Date(expiresAt) }));
}
