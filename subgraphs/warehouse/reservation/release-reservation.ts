import type { EndReason, ReservationStatus } from './end-reservations.js';
import type { StockEngine } from './engine.js';

/**
 * Puts back on the shelf what is held for an order. Needs no Redis. An order that is not known yet
 * is written down as `RELEASED`, so that a reservation which comes after its release is refused.
 *
 * @returns what the reservation is now: `COMMITTED` where a payment came first
 */
export function releaseReservation(
  { ending }: StockEngine,
  request: {
    readonly orderId: string;
    readonly reason: EndReason;
    readonly actor?: string | null;
  },
): Promise<ReservationStatus> {
  return ending.submit({ ...request, to: 'RELEASED' });
}
