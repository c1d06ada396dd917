import { type Call, checkedBy, listOf } from './call.js';
import {
  type CommitRequest,
  type ReleaseRequest,
  type ReservationAnswer,
  type ReserveRequest,
  reservationStates,
} from './reservation.js';
import type { StockKey } from './stock-key.js';

/** Units that can be bought, in the order of the keys. */
export const availabilityOf: Call<{ readonly of: readonly StockKey[] }, number[]> = {
  field: 'availabilityOf',
  query: 'query ($of: [StockKeyInput!]!) { availabilityOf(of: $of) }',
  answer: listOf((value) => typeof value === 'number'),
};

const states = new Set<unknown>([...reservationStates, 'SHORT', 'WAITING']);

function isReservationAnswer(value: unknown): value is ReservationAnswer {
  const answer = value as ReservationAnswer | null;
  return (
    typeof answer?.orderId === 'string' &&
    states.has(answer.state) &&
    (answer.state !== 'HELD' || typeof answer.expiresAt === 'string') &&
    (answer.state !== 'SHORT' || Array.isArray(answer.shortages))
  );
}

const answer = checkedBy(isReservationAnswer);
const answerFields =
  'orderId state expiresAt paymentId reason shortages { shopId sku requested available }';

/** Reserves stock for orders; what is not decided within `ms` is `WAITING`. */
export const reserveStock: Call<
  { readonly requests: readonly ReserveRequest[]; readonly ms: number },
  ReservationAnswer
> = {
  field: 'reserveStock',
  query: `mutation ($requests: [ReserveInput!]!, $ms: Int) {
    reserveStock(requests: $requests, answerWithinMs: $ms) { ${answerFields} }
  }`,
  answer,
};

/**
 * Commits what is reserved for orders to their payments. If units are missing, the reservation is
 * `RELEASED` as `OUT_OF_STOCK`.
 */
export const commitReservation: Call<
  { readonly requests: readonly CommitRequest[] },
  ReservationAnswer
> = {
  field: 'commitReservation',
  query: `mutation ($requests: [CommitInput!]!) {
    commitReservation(requests: $requests) { ${answerFields} }
  }`,
  answer,
};

/** Puts what is reserved for orders back into stock. */
export const releaseReservation: Call<
  { readonly requests: readonly ReleaseRequest[] },
  ReservationAnswer
> = {
  field: 'releaseReservation',
  query: `mutation ($requests: [ReleaseInput!]!) {
    releaseReservation(requests: $requests) { ${answerFields} }
  }`,
  answer,
};
