import type { StockEngine } from '../context.js';
import {
  type EndedReservation,
  type EndReason,
  endHeld,
  layTombstones,
  lockReservations,
} from './end-reservations.js';
import { moveStock } from './ledger.js';

export interface ReleaseRequest {
  readonly orderId: string;
  readonly reason: EndReason;
}

/**
 * Puts back on the shelf what is held for orders. Needs no Redis. An order that is not known yet is
 * written down as `RELEASED`, so that a reservation which comes after its release is refused.
 *
 * @returns what each reservation is now: `COMMITTED` where a payment came first
 */
export async function releaseReservations(
  engine: StockEngine,
  requests: readonly ReleaseRequest[],
): Promise<EndedReservation[]> {
  const orderIds = requests.map(({ orderId }) => orderId);
  const ended = await moveStock(engine, async (em, openLedger) => {
    await layTombstones(em, orderIds);
    const locked = await lockReservations(em, orderIds);
    const endings = requests.map((request) => ({ ...request, to: 'RELEASED' as const }));
    await endHeld(em, openLedger, locked, endings);
    return locked.map(({ orderId, state, paymentId }) => ({ orderId, state, paymentId }));
  });
  engine.timers.disarm(orderIds);
  return ended;
}
