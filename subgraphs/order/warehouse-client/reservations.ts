import type {
  CommitRequest,
  ExtendRequest,
  ReleaseReason,
  ReleaseRequest,
  ReservationAnswer,
  ReserveLine,
  ReserveRequest,
} from '../../contracts/reservation.js';
import {
  commitReservation,
  extendReservation,
  releaseReservation,
  reserveStock,
} from '../../contracts/warehouse.js';
import { type CoalesceLimits, Coalescer } from '../../shared/batching/coalescer.js';
import type { ServiceClient } from '../../shared/http/service-client.js';

/** The answer of the warehouse subgraph about an order's reservation. */
export type DecidedReservation = ReservationAnswer & {
  readonly state: Exclude<ReservationAnswer['state'], 'WAITING'>;
};
export type ReserveAnswer = DecidedReservation & {
  /** Whether it was requested more than once: another warehouse process may still decide it later. */
  readonly isRepeated: boolean;
};

/** The reservations of orders at the warehouse subgraph. Every call is idempotent. */
export interface Reservations {
  reserve(
    orderId: string,
    lines: readonly ReserveLine[],
    reserveForMs: number,
  ): Promise<ReserveAnswer>;
  /** Commits the reserved units to a payment. From then on, an unknown order counts as released. */
  commit(orderId: string, paymentId: string): Promise<DecidedReservation>;
  /**
   * Has what is reserved kept for longer, before it is paid. `HELD` has the new `expiresAt`; any other state: its
   * stock is not kept.
   *
   * @param reserveForMs from the time at which it was reserved
   */
  extend(orderId: string, reserveForMs: number): Promise<DecidedReservation>;
  /** @param actor the user who cancels, if any; it goes into the order's history */
  release(orderId: string, reason: ReleaseReason, actor?: string): Promise<DecidedReservation>;
}

// The warehouse refuses what waits for a batch after about a second, or after about 2.5 s in all if other transactions
// have locked its rows. A batch may be split for up to 8 s, and a transaction then takes up to 4 s.
const reserveOptions = { timeoutMs: 13_000, repeatable: true };
const endOptions = { timeoutMs: 6000, repeatable: true };
// After this time the warehouse answers a batch of reservations: those that it has not decided, as their SKUs are
// contended, are WAITING, and are sent again in a batch of their own.
const answerWithinMs = { first: 100, again: 300 };

/** Nothing is reserved before the first request: one that waits for longer is refused. */
const firstWaitMaxMs = 1000;

/**
 * Concurrent calls share one request.
 *
 * @param reserving for calls that may wait long
 * @param ending for extend, commit and release, which must not wait behind them
 */
export function createReservations(reserving: ServiceClient, ending: ServiceClient): Reservations {
  const reserveBatch = (ms: number, limits: Partial<CoalesceLimits> = {}) =>
    new Coalescer<ReserveRequest, ReservationAnswer>(
      (requests) => reserving.callEach(reserveStock, { requests, ms }, reserveOptions),
      limits,
    );
  const first = reserveBatch(answerWithinMs.first, { waitMaxMs: firstWaitMaxMs });
  const again = reserveBatch(answerWithinMs.again);
  const commits = new Coalescer<CommitRequest, ReservationAnswer>((requests) =>
    ending.callEach(commitReservation, { requests }, endOptions),
  );
  const extensions = new Coalescer<ExtendRequest, ReservationAnswer>((requests) =>
    ending.callEach(extendReservation, { requests }, endOptions),
  );
  const releases = new Coalescer<ReleaseRequest, ReservationAnswer>((requests) =>
    ending.callEach(releaseReservation, { requests }, endOptions),
  );
  return {
    async reserve(orderId, lines, reserveForMs) {
      const request = { orderId, lines, reserveForMs };
      const latestMs = performance.now() + reserveOptions.timeoutMs;
      const leftMs = () => Math.max(1, latestMs - performance.now());
      let answer = await first.submit(request, leftMs());
      const isRepeated = answer.state === 'WAITING';
      while (answer.state === 'WAITING') answer = await again.submit(request, leftMs());
      return { ...(answer as DecidedReservation), isRepeated };
    },
    extend: (orderId, reserveForMs) => end(extensions, { orderId, reserveForMs }),
    commit: (orderId, paymentId) => end(commits, { orderId, paymentId }),
    release: (orderId, reason, actor) => end(releases, { orderId, reason, actor }),
  };
}

/** Only a reservation request may be `WAITING`. */
const end = <R>(calls: Coalescer<R, ReservationAnswer>, request: R) =>
  calls.submit(request, endOptions.timeoutMs) as Promise<DecidedReservation>;
