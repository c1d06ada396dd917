import { DomainError } from '../../shared/errors.js';
import type { ServiceClient } from '../../shared/service-client.js';

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
/** What the warehouse subgraph says of an order's reservation. */
export interface ReservationAnswer {
  readonly orderId: string;
  readonly state: 'HELD' | 'SHORT' | 'COMMITTED' | 'RELEASED' | 'EXPIRED';
  readonly expiresAt: string | null;
  readonly paymentId: string | null;
  readonly shortages: Shortage[] | null;
}
export type ReleaseReason = 'PAYMENT_FAILED' | 'BY_CUSTOMER' | 'ABANDONED';

/** The stock of orders, held at the warehouse subgraph. Every call may be sent again. */
export interface Reservations {
  reserve(orderId: string, lines: ReservationLine[], holdForMs: number): Promise<ReservationAnswer>;
  /** An order that is not known counts as released from then on. */
  commit(orderId: string, paymentId: string): Promise<ReservationAnswer>;
  release(orderId: string, reason: ReleaseReason): Promise<ReservationAnswer>;
}

// A lock may be waited for up to 8 s, and a transaction then takes up to 4 s.
const reserveTimeoutMs = 13_000;
const endTimeoutMs = 6000;
const fields = 'orderId state expiresAt paymentId shortages { shopId sku requested available }';

/** @param reserving for calls that may wait long, `ending` for those that must not wait behind them */
export function createReservations(reserving: ServiceClient, ending: ServiceClient): Reservations {
  return {
    async reserve(orderId, lines, holdForMs) {
      const data = await reserving.call<{ reserveStock: ReservationAnswer[] }>(
        `mutation ($r: [ReserveInput!]!) { reserveStock(requests: $r) { ${fields} } }`,
        { r: [{ orderId, lines, holdForMs }] },
        { timeoutMs: reserveTimeoutMs, repeatable: true },
      );
      return only(data.reserveStock);
    },
    async commit(orderId, paymentId) {
      const data = await ending.call<{ commitReservation: ReservationAnswer[] }>(
        `mutation ($r: [CommitInput!]!) { commitReservation(requests: $r) { ${fields} } }`,
        { r: [{ orderId, paymentId }] },
        { timeoutMs: endTimeoutMs, repeatable: true },
      );
      return only(data.commitReservation);
    },
    async release(orderId, reason) {
      const data = await ending.call<{ releaseReservation: ReservationAnswer[] }>(
        `mutation ($r: [ReleaseInput!]!) { releaseReservation(requests: $r) { ${fields} } }`,
        { r: [{ orderId, reason }] },
        { timeoutMs: endTimeoutMs, repeatable: true },
      );
      return only(data.releaseReservation);
    },
  };
}

function only(answers: ReservationAnswer[]): ReservationAnswer {
  const [answer] = answers;
  if (!answer) throw new DomainError('TRY_AGAIN', 'The stock gave no answer; ask again.');
  return answer;
}
