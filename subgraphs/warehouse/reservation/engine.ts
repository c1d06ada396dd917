import type { MikroORM } from '@mikro-orm/postgresql';
import type { Redis } from 'ioredis';
import type { CommitRequest, ReleaseRequest, ReserveRequest } from '../../contracts/reservation.js';
import type { SubgraphContext } from '../../shared/graphql/context.js';
import type { Logger } from '../../shared/observability/logger.js';
import type { Registry } from '../../shared/observability/metrics.js';
import { createStockSignals } from '../signals/stock-signals.js';
import { createStockMetrics } from '../stock/metrics.js';
import type { StockStore } from '../stock/stock-store.js';
import { decideReservations, type ReserveOutcome } from './decide-reservations.js';
import { Dispatcher } from './dispatcher/dispatcher.js';
import type { DispatcherLimits } from './dispatcher/dispatcher-limits.js';
import { createStockLocks, type StockLocks } from './dispatcher/stock-locks.js';
import { decideEndings, type EndRequest, type ReservationStatus } from './end-reservations.js';
import { findBlockedOrders, findBlockedRequests } from './locked-rows.js';

/**
 * How long the connections of the engine wait for each lock (`lock_timeout`): a batch takes some 20 ms,
 * so who waits longer waits for something else, and must not keep up other shops.
 */
export const rowWaitMs = 300;

/** What moves stock in one process. */
export interface StockEngine extends StockStore {
  /** Reservations, in batches under the locks of their skus. */
  readonly reserving: Dispatcher<ReserveRequest, ReserveOutcome>;
  /** What `reserving` has not decided yet, by what is asked: who asks the same again waits with it. */
  readonly undecided: Map<string, Promise<ReserveOutcome>>;
  /** Commits and releases, in batches that need no Redis. */
  readonly ending: Dispatcher<EndRequest, ReservationStatus>;
}
export type ReservationContext = SubgraphContext<StockEngine>;

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
      findBlocked: (requests) => findBlockedRequests(orm.em.fork(), requests),
      locks: 'lock' in parts.locks ? parts.locks : createStockLocks(parts.locks, logger),
      metrics: metrics.dispatcher('reserve'),
      limits,
    }),
    undecided: new Map(),
    ending: new Dispatcher({
      keysOf: ({ orderId }) => [orderId],
      work: (requests) => decideEndings(store, requests),
      async findBlocked(requests) {
        const ofAll = requests.map(({ orderId }) => orderId);
        const orderIds = await findBlockedOrders(orm.em.fork(), ofAll);
        return requests.filter(({ orderId }) => orderIds.has(orderId));
      },
      metrics: metrics.dispatcher('end'),
      limits: { ...limits, keysPerBatchMax: Number.POSITIVE_INFINITY },
    }),
  };
}

/**
 * Holds stock for an order, all or nothing, in the order in which the requests came. Asking again
 * for an order that is known changes nothing and gives what became of it; while the same is undecided,
 * the second waits with the first.
 *
 * @throws `TRY_AGAIN` when the skus cannot be locked now; nothing was done then
 */
export function reserveStock(
  { reserving, undecided }: StockEngine,
  request: ReserveRequest,
): Promise<ReserveOutcome> {
  const key = JSON.stringify([request.orderId, request.lines]);
  const pending = undecided.get(key);
  if (pending) return pending;
  const decided = reserving.submit(request).finally(() => undecided.delete(key));
  undecided.set(key, decided);
  return decided;
}

/**
 * Sells what is held for an order to a payment. Needs no Redis. A reservation that is still `HELD`
 * is sold even past its time; one that ended already is left as it is. An order that is not known is
 * written down as `RELEASED`: its payment is void, and no reservation may come after that.
 *
 * @returns what the reservation is now, and which payment has it: it was sold to the payment that
 *   asks only where both say so
 */
export function commitReservation(
  { ending }: StockEngine,
  request: CommitRequest,
): Promise<ReservationStatus> {
  return ending.submit({ ...request, to: 'COMMITTED' });
}

/**
 * Puts back on the shelf what is held for an order. Needs no Redis. An order that is not known yet
 * is written down as `RELEASED`, so that a reservation which comes after its release is refused.
 *
 * @returns what the reservation is now: `COMMITTED` where a payment came first
 */
export function releaseReservation(
  { ending }: StockEngine,
  request: ReleaseRequest,
): Promise<ReservationStatus> {
  return ending.submit({ ...request, to: 'RELEASED' });
}
