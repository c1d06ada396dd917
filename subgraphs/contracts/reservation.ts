import type { StockKey } from './stock-key.js';

/** Why the order subgraph releases a reservation. */
export const releaseReasons = [
  'PAYMENT_TIMEOUT',
  'PAYMENT_FAILED',
  'BY_CUSTOMER',
  'ABANDONED',
] as const;
export type ReleaseReason = (typeof releaseReasons)[number];

/**
 * Why a reservation ended without being committed. `OUT_OF_STOCK`: it was paid, and a count had
 * shown that its units are missing.
 */
export const endReasons = [...releaseReasons, 'OUT_OF_STOCK'] as const;
export type EndReason = (typeof endReasons)[number];

/**
 * How long a reservation is kept after it ended, or all of its units were shipped or cancelled. Who asks for one of
 * an older order that has none is answered as if it had been released.
 */
export const reservationKeptDays = 90;

/** The states of a reservation: `HELD`, and how it ended. */
export const reservationStates = ['HELD', 'COMMITTED', 'RELEASED', 'EXPIRED'] as const;
export type ReservationState = (typeof reservationStates)[number];

/** Units of one variant of one shop. */
export interface ReserveLine extends StockKey {
  readonly quantity: number;
  /** the sale from whose allocation they are taken; none: regular units */
  readonly saleId?: string | null | undefined;
}
/** What to reserve for one order, all or nothing. */
export interface ReserveRequest {
  readonly orderId: string;
  readonly lines: readonly ReserveLine[];
  readonly reserveForMs: number;
}
/** Which order is paid, and by which payment. */
export interface CommitRequest {
  readonly orderId: string;
  readonly paymentId: string;
}
/** Which order ends unpaid, and why. */
export interface ReleaseRequest {
  readonly orderId: string;
  readonly reason: ReleaseReason;
  /** the user who cancelled, where it was a user */
  readonly actor?: string | null | undefined;
}

/**
 * Why a sale has fewer units than an order needs: `HELD`: some may come back, as others hold them, or as its allocation
 * was lowered or is not on the shelf; `SOLD_OUT`: all of its allocation is sold, which is final; `OVER`: the item is
 * not in the sale, or its end is more than `saleGraceMs` ago.
 */
const saleShortages = ['HELD', 'SOLD_OUT', 'OVER'] as const;
export type SaleShortage = (typeof saleShortages)[number];

/**
 * How long after the end of a sale its units are still held, by the clock of the warehouse's primary: for orders
 * that were decided in time by the clock of shop's primary.
 */
export const saleGraceMs = 15_000;

/** A variant of which a shop, or a sale, has fewer units than an order needs. */
export interface Shortage extends StockKey {
  readonly requested: number;
  readonly available: number;
  /** of a line with a sale */
  readonly saleId?: string | null | undefined;
  readonly saleShortage?: SaleShortage | null | undefined;
}

/** Which unpaid order keeps its stock for longer. */
export interface ExtendRequest {
  readonly orderId: string;
  /** from the time at which it was reserved; a reservation that lasts longer stays as it is */
  readonly reserveForMs: number;
}

/** @template Time a time: text in JSON, a `Date` in the warehouse subgraph */
export interface ReservationAnswer<Time = string> {
  readonly orderId: string;
  /** `SHORT`: nothing is held, see `shortages`; `WAITING`: not decided yet */
  readonly state: ReservationState | 'SHORT' | 'WAITING';
  /** of `HELD` */
  readonly expiresAt?: Time | null;
  /** of `COMMITTED` */
  readonly paymentId?: string | null;
  /** of `RELEASED`, if it was to be committed and units were missing */
  readonly reason?: 'OUT_OF_STOCK' | null;
  /** of `SHORT` */
  readonly shortages?: readonly Shortage[] | null;
}
