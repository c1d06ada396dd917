import type {
  CommitRequest,
  EndReason,
  ReleaseRequest,
  ReservationAnswer,
  ReserveLine,
  ReserveRequest,
} from '../../contracts/reservation.js';
import { commitReservation, releaseReservation, reserveStock } from '../../contracts/warehouse.js';
import { Coalescer } from '../../shared/batching/coalescer.js';
import type { ServiceClient } from '../../shared/http/service-client.js';

/** What became of an order's reservation. */
export type DecidedReservation = ReservationAnswer & {
  readonly state: Exclude<ReservationAnswer['state'], 'WAITING'>;
};
export type ReserveAnswer = DecidedReservation & {
  /** Whether it was asked for more than once: another process of the warehouse may decide it later. */
  readonly isRepeated: boolean;
};

/** The stock of orders, held at the warehouse subgraph. Every call may be sent again. */
export interface Reservations {
  reserve(
    orderId: string,
    lines: readonly ReserveLine[],
    holdForMs: number,
  ): Promise<ReserveAnswer>;
  /** An order that is not known counts as released from then on. */
  commit(orderId: string, paymentId: string): Promise<DecidedReservation>;
  /** @param actor the user who gives it up, where it is one: whoever ends the order tells so */
  release(orderId: string, reason: EndReason, actor?: string): Promise<DecidedReservation>;
}

// A lock may be waited for up to 8 s, and a transaction then takes up to 4 s.
const reserveOptions = { timeoutMs: 13_000, repeatable: true };
const endOptions = { timeoutMs: 6000, repeatable: true };
// How long the others of a batch may wait for one whose sku is slow; it is asked for again then,
// with others of its kind.
const answerWithinMs = { first: 100, again: 300 };

/**
 * What is asked at the same time goes as one request.
 *
 * @param reserving for calls that may wait long, `ending` for those that must not wait behind them
 */
export function createReservations(reserving: ServiceClient, ending: ServiceClient): Reservations {
  const reserveBatch = (ms: number) =>
    new Coalescer<ReserveRequest, ReservationAnswer>((requests) =>
      reserving.callEach(reserveStock, { requests, ms }, reserveOptions),
    );
  const first = reserveBatch(answerWithinMs.first);
  const again = reserveBatch(answerWithinMs.again);
  const commits = new Coalescer<CommitRequest, ReservationAnswer>((requests) =>
    ending.callEach(commitReservation, { requests }, endOptions),
  );
  const releases = new Coalescer<ReleaseRequest, ReservationAnswer>((requests) =>
    ending.callEach(releaseReservation, { requests }, endOptions),
  );
  return {
    async reserve(orderId, lines, holdForMs) {
      const request = { orderId, lines, holdForMs };
      const latestMs = performance.now() + reserveOptions.timeoutMs;
      const leftMs = () => Math.max(1, latestMs - performance.now());
      let answer = await first.ask(request, leftMs());
      const isRepeated = answer.state === 'WAITING';
      while (answer.state === 'WAITING') answer = await again.ask(request, leftMs());
      return { ...(answer as DecidedReservation), isRepeated };
    },
    commit: (orderId, paymentId) => end(commits, { orderId, paymentId }),
    release: (orderId, reason, actor) => end(releases, { orderId, reason, actor }),
  };
}

/** Only a reservation request may be `WAITING`. */
const end = <R>(calls: Coalescer<R, ReservationAnswer>, request: R) =>
  calls.ask(request, endOptions.timeoutMs) as Promise<DecidedReservation>;
