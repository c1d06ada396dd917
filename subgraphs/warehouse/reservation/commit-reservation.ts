import type { ReservationStatus } from './end-reservations.js';
import type { StockEngine } from './engine.js';

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
  request: { readonly orderId: string; readonly paymentId: string },
): Promise<ReservationStatus> {
  return ending.submit({ ...request, to: 'COMMITTED' });
}
