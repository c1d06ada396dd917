import type { StockEngine } from '../context.js';
import {
  type EndedReservation,
  endHeld,
  layTombstones,
  lockReservations,
} from './end-reservations.js';
import { moveStock } from './ledger.js';

export interface CommitRequest {
  readonly orderId: string;
  readonly paymentId: string;
}

/**
 * Sells what is held for orders, each to its payment. Needs no Redis. A reservation that is still
 * `HELD` is sold even past its time; one that ended already is left as it is. An order that is not
 * known is written down as `RELEASED`: its payment is void, and no reservation may come after that.
 *
 * @returns what each reservation is now, and which payment has it: it was sold to the payment that
 *   asks only where both say so
 */
export async function commitReservations(
  engine: StockEngine,
  requests: readonly CommitRequest[],
): Promise<EndedReservation[]> {
  const ended = await moveStock(engine, async (em, openLedger) => {
    const orderIds = requests.map(({ orderId }) => orderId);
    await layTombstones(em, orderIds);
    const locked = await lockReservations(em, orderIds);
    const endings = requests.map((request) => ({ ...request, to: 'COMMITTED' as const }));
    await endHeld(em, openLedger, locked, endings);
    return locked.map(({ orderId, state, paymentId }) => ({ orderId, state, paymentId }));
  });
  engine.timers.disarm(ended.map(({ orderId }) => orderId));
  return ended;
}
