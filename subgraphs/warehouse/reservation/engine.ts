import type { MikroORM } from '@mikro-orm/postgresql';
import type { Redis } from 'ioredis';
import type {
  CommitRequest,
  ExtendRequest,
  ReleaseRequest,
  ReserveRequest,
} from '../../contracts/reservation.js';
import type { SubgraphContext } from '../../shared/graphql/context.js';
import type { Logger } from '../../shared/observability/logger.js';
import type { Registry } from '../../shared/observability/metrics.js';
import { asBegun } from '../../shared/observability/request-context.js';
import { createStockSignals } from '../signals/stock-signals.js';
import { createStockMetrics } from '../stock/metrics.js';
import type { StockStore } from '../stock/stock-store.js';
import { decideReservations, type ReserveOutcome } from './decide-reservations.js';
import { Dispatcher } from './dispatcher/dispatcher.js';
import type { DispatcherLimits } from './dispatcher/dispatcher-limits.js';
import { createStockLocks, type StockLocks } from './dispatcher/stock-locks.js';
import { decideEndings, type EndRequest, type ReservationStatus } from './end-reservations.js';
import { type ExtendOutcome, extendReservations } from './extend-reservations.js';
import { findBlockedOrders, findBlockedRequests } from './locked-rows.js';

/**
 * How long the connections of the engine wait for each lock (`lock_timeout`). A batch takes some 20
 * ms; a longer wait has another cause, and must not delay other shops.
 */
export const rowWaitMs = 300;

/** How long an outcome is kept for a caller that was answered WAITING and will repeat its request. */
const keptMs = 1000;

interface Undecided {
  readonly outcome: Promise<ReserveOutcome>;
  /** false after a caller was answered WAITING, until it repeats its request */
  isAwaited: boolean;
  isDecided: boolean;
}

/** Everything that moves stock in one process. */
export interface StockEngine extends StockStore {
  /** reservations, in batches under the locks of their skus */
  readonly reserving: Dispatcher<ReserveRequest, ReserveOutcome>;
  /** requests that `reserving` has not decided, or whose outcome nobody has got: the same request again gets it */
  readonly undecided: Map<string, Undecided>;
  /** commits and releases, in batches that need no Redis */
  readonly ending: Dispatcher<EndRequest, ReservationStatus>;
  /** extensions, in batches that need no Redis */
  readonly extending: Dispatcher<ExtendRequest, ExtendOutcome>;
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
      work: (requests) => asBegun(() => decideReservations(store, requests)),
      findBlocked: (requests) => findBlockedRequests(orm.em.fork(), requests),
      locks: 'lock' in parts.locks ? parts.locks : createStockLocks(parts.locks, logger),
      metrics: metrics.dispatcher('reserve'),
      limits,
    }),
    undecided: new Map(),
    ending: new Dispatcher({
      keysOf: ({ orderId }) => [orderId],
      work: (requests) => asBegun(() => decideEndings(store, requests)),
      async findBlocked(requests) {
        const orderIds = requests.map(({ orderId }) => orderId);
        const blocked = await findBlockedOrders(orm.em.fork(), orderIds);
        return requests.filter(({ orderId }) => blocked.has(orderId));
      },
      metrics: metrics.dispatcher('end'),
      limits: { ...limits, keysPerBatchMax: Number.POSITIVE_INFINITY },
    }),
    extending: new Dispatcher({
      keysOf: ({ orderId }) => [orderId],
      work: (requests) => asBegun(() => extendReservations(store, requests)),
      metrics: metrics.dispatcher('extend'),
      limits: { ...limits, keysPerBatchMax: Number.POSITIVE_INFINITY },
    }),
  };
}

/**
 * Reserves stock for an order, all lines or none, in order of arrival. A further request for an
 * order that has a reservation changes nothing and returns that one’s state; the same request while
 * the first is undecided waits with it.
 *
 * @throws `TRY_AGAIN` when the skus cannot be locked now; nothing was done then
 */
export const reserveStock = (
  engine: StockEngine,
  request: ReserveRequest,
): Promise<ReserveOutcome> => submit(engine, request).outcome;

/**
 * As `reserveStock`, until `late` resolves. The same request again waits on, or gets what was decided meanwhile: a
 * refusal, too, which it would otherwise not know of and wait for a second time.
 *
 * @returns null if it is not decided by then
 */
export function reserveStockBefore(
  engine: StockEngine,
  request: ReserveRequest,
  late: Promise<null>,
): Promise<ReserveOutcome | null> {
  const undecided = submit(engine, request);
  const leave = () => {
    undecided.isAwaited = false;
    return null;
  };
  return Promise.race([undecided.outcome, late.then(leave)]);
}

function submit({ reserving, undecided }: StockEngine, request: ReserveRequest): Undecided {
  const key = JSON.stringify([request.orderId, request.lines]);
  const known = undecided.get(key);
  if (known) {
    known.isAwaited = true;
    if (known.isDecided) undecided.delete(key);
    return known;
  }
  const made = { outcome: reserving.submit(request), isAwaited: true, isDecided: false };
  const forget = () => {
    if (undecided.get(key) === made) undecided.delete(key);
  };
  const decide = () => {
    made.isDecided = true;
    if (made.isAwaited) forget();
    else setTimeout(forget, keptMs).unref();
  };
  made.outcome.then(decide, decide);
  undecided.set(key, made);
  return made;
}

/**
 * Commits the reserved units of an order to a payment. Needs no Redis. A reservation that is still
 * `HELD` is committed even after `expiresAt`; one that has ended stays as it is. If a count has shown
 * that units are missing, it is released as `OUT_OF_STOCK`. For an unknown order a
 * `RELEASED` reservation is inserted: the payment must be voided, and a reserve request that
 * arrives later is refused.
 *
 * @returns the state after; it is committed to this payment only if `paymentId` is this payment’s
 */
export function commitReservation(
  { ending }: StockEngine,
  request: CommitRequest,
): Promise<ReservationStatus> {
  return ending.submit({ ...request, to: 'COMMITTED' });
}

/**
 * Makes the reserved units of an order available again. Needs no Redis. For an unknown order a
 * `RELEASED` reservation is inserted, so that a reserve request that arrives after its release is
 * refused.
 *
 * @returns the state after: `COMMITTED` if a payment came first
 */
export function releaseReservation(
  { ending }: StockEngine,
  request: ReleaseRequest,
): Promise<ReservationStatus> {
  return ending.submit({ ...request, to: 'RELEASED' });
}

/**
 * Lets the reservation of an order expire later, counted from when it was made. Needs no Redis. One that is not
 * `HELD`, or is due by PostgreSQL’s clock, stays as it is.
 *
 * @returns the state after: `EXPIRED` for one that is due
 */
export function extendReservation(
  { extending }: StockEngine,
  request: ExtendRequest,
): Promise<ExtendOutcome> {
  return extending.submit(request);
}
