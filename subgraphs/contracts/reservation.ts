import type { StockKey } from './stock-key.js';

/** Why a reservation ended without a sale. */
export const endReasons = [
  'PAYMENT_TIMEOUT',
  'PAYMENT_FAILED',
  'BY_CUSTOMER',
  'ABANDONED',
] as const;
export type EndReason = (typeof endReasons)[number];

/** The states of a reservation: `HELD`, and how it ended. */
export const reservationStates = ['HELD', 'COMMITTED', 'RELEASED', 'EXPIRED'] as const;
export type ReservationState = (typeof reservationStates)[number];

/** A variant of which a shop has fewer units than an order needs. */
export interface Shortage extends StockKey {
  readonly requested: number;
  readonly available: number;
}
