import { Coalescer } from '../../shared/batching/coalescer.js';
import type { ServiceClient } from '../../shared/http/service-client.js';

export interface ReservationLine {
  readonly shopId: string;
  readonly sku: string;
  readonly quantity: number;
}
export interface Shortage {
  readonly shopId: string;
  readonly sku: string;
  readonly requested: number;
  readonly available: number;
}
/** The answer of the warehouse subgraph about an order's reservation. */
export interface ReservationAnswer {
  readonly orderId: string;
  readonly state: 'HELD' | 'SHORT' | 'COMMITTED' | 'RELEASED' | 'EXPIRED';
  readonly expiresAt: string | null;
  readonly paymentId: string | null;
  readonly shortages: Shortage[] | null;
}
export interface ReserveAnswer extends ReservationAnswer {
  /** Whether it was requested more than once: another warehouse process may still decide it later. */
  readonly isRepeated: boolean;
}
export type ReleaseReason = 'PAYMENT_FAILED' | 'BY_CUSTOMER' | 'ABANDONED';

/** The reservations of orders at the warehouse subgraph. Every call is idempotent. */
export interface Reservations {
  reserve(orderId: string, lines: ReservationLine[], holdForMs: number): Promise<ReserveAnswer>;
  /** Sells the reserved units to a payment. From then on, an unknown order counts as released. */
  commit(orderId: string, paymentId: string): Promise<ReservationAnswer>;
  /** @param actor the user who cancels, if any; it goes into the order's history */
  release(orderId: string, reason: ReleaseReason, actor?: string): Promise<ReservationAnswer>;
}

interface ReserveRequest {
  readonly orderId: string;
  readonly lines: ReservationLine[];
  readonly holdForMs: number;
}
interface EndRequest {
  readonly orderId: string;
  readonly paymentId?: string;
  readonly reason?: ReleaseReason;
  readonly actor?: string | undefined;
}
type Undecided = Omit<ReservationAnswer, 'state'> & {
  readonly state: ReservationAnswer['state'] | 'WAITING';
};

// A lock may be waited for up to 8 s, and a transaction then takes up to 4 s.
const reserveTimeoutMs = 13_000;
const endTimeoutMs = 6000;
// How long a batch may wait for a request whose sku is contended. That request is then repeated,
// together with others of its kind.
const answerWithinMs = { first: 100, again: 300 };
const fields = 'orderId state expiresAt paymentId shortages { shopId sku requested available }';

/**
 * Concurrent calls share one request.
 *
 * @param reserving for calls that may wait long
 * @param ending for commit and release, which must not wait behind them
 */
export function createReservations(reserving: ServiceClient, ending: ServiceClient): Reservations {
  const reserveBatch = (withinMs: number) =>
    new Coalescer<ReserveRequest, Undecided>((requests) =>
      reserving.callEach(
        'reserveStock',
        `mutation ($r: [ReserveInput!]!, $ms: Int) {
           reserveStock(requests: $r, answerWithinMs: $ms) { ${fields} }
         }`,
        { r: requests, ms: withinMs },
        { timeoutMs: reserveTimeoutMs, repeatable: true },
      ),
    );
  const endBatch = (field: string, input: string) =>
    new Coalescer<EndRequest, ReservationAnswer>((requests) =>
      ending.callEach(
        field,
        `mutation ($r: [${input}!]!) { ${field}(requests: $r) { ${fields} } }`,
        { r: requests },
        { timeoutMs: endTimeoutMs, repeatable: true },
      ),
    );
  const first = reserveBatch(answerWithinMs.first);
  const again = reserveBatch(answerWithinMs.again);
  const commits = endBatch('commitReservation', 'CommitInput');
  const releases = endBatch('releaseReservation', 'ReleaseInput');
  return {
    async reserve(orderId, lines, holdForMs) {
      const request = { orderId, lines, holdForMs };
      const latestMs = performance.now() + reserveTimeoutMs;
      const leftMs = () => Math.max(1, latestMs - performance.now());
      let answer = await first.submit(request, leftMs());
      const isRepeated = answer.state === 'WAITING';
      while (answer.state === 'WAITING') answer = await again.submit(request, leftMs());
      return { ...(answer as ReservationAnswer), isRepeated };
    },
    commit: (orderId, paymentId) => commits.submit({ orderId, paymentId }, endTimeoutMs),
    release: (orderId, reason, actor) => releases.submit({ orderId, reason, actor }, endTimeoutMs),
  };
}
