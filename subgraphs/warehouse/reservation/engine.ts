import type { MikroORM } from '@mikro-orm/postgresql';
import type { Redis } from 'ioredis';
import type { Logger } from '../../shared/observability/logger.js';
import type { Registry } from '../../shared/observability/metrics.js';
import { createStockSignals, type StockSignals } from '../signals/stock-signals.js';
import { createStockMetrics, type StockMetrics } from '../stock/metrics.js';
import {
  decideReservations,
  type ReserveOutcome,
  type ReserveRequest,
} from './decide-reservations.js';
import { Dispatcher } from './dispatcher/dispatcher.js';
import type { DispatcherLimits } from './dispatcher/dispatcher-limits.js';
import { createStockLocks, type StockLocks } from './dispatcher/stock-locks.js';
import { decideEndings, type EndRequest, type ReservationStatus } from './end-reservations.js';
import { ordersHeldElsewhere, requestsHeldElsewhere } from './locked-rows.js';

/**
 * How long the connections of the engine wait for each lock (`lock_timeout`): a batch takes some 20 ms,
 * so who waits longer waits for something else, and must not keep up other shops.
 */
export const rowWaitMs = 300;

/** What one transaction that moves stock works with. */
export interface StockStore {
  readonly orm: MikroORM;
  readonly signals: StockSignals;
  readonly metrics: StockMetrics;
  readonly logger: Logger;
}

/** What moves stock in one process. */
export interface StockEngine extends StockStore {
  /** Reservations, in batches under the locks of their skus. */
  readonly reserving: Dispatcher<ReserveRequest, ReserveOutcome>;
  /** What `reserving` has not decided yet, by what is asked: who asks the same again waits with it. */
  readonly undecided: Map<string, Promise<ReserveOutcome>>;
  /** Commits and releases, in batches that need no Redis. */
  readonly ending: Dispatcher<EndRequest, ReservationStatus>;
}

export interface StockEngineParts {
  readonly orm: MikroORM;
  /** the Redis of timers and stock events */
  readonly timers: Redis;
  /** the Redis nodes of the locks, or locks of another kind */
  readonly locks: readonly Redis[] | StockLocks;
  readonly registry: Registry;
  readonly logger: Logger;
  readonly limits?: Partial<DispatcherLimits>;
}

export function createStockEngine(parts: StockEngineParts): StockEngine {
  const { orm, logger, limits } = parts;
  const metrics = createStockMetrics(parts.registry);
  const signals = createStockSignals(parts.timers, logger);
  const store = { orm, signals, metrics, logger };
  return {
    ...store,
    reserving: new Dispatcher({
      keysOf: ({ lines }) => [...new Set(lines.map(({ sku }) => sku))],
      work: (requests) => decideReservations(store, requests),
      heldUp: (requests) => requestsHeldElsewhere(orm.em.fork(), requests),
      locks: 'lock' in parts.locks ? parts.locks : createStockLocks(parts.locks, logger),
      metrics: metrics.dispatcher('reserve'),
      limits,
    }),
    undecided: new Map(),
    ending: new Dispatcher({
      keysOf: ({ orderId }) => [orderId],
      work: (requests) => decideEndings(store, requests),
      async heldUp(requests) {
        const ofAll = requests.map(({ orderId }) => orderId);
        const orderIds = await ordersHeldElsewhere(orm.em.fork(), ofAll);
        return requests.filter(({ orderId }) => orderIds.has(orderId));
      },
      metrics: metrics.dispatcher('end'),
      limits: { ...limits, keysPerBatchMax: Number.POSITIVE_INFINITY },
    }),
  };
}
