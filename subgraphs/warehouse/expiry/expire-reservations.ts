import { isTooSlow } from '../../shared/database/errors.js';
import { lockHeldReservations } from '../locks.js';
import { runBatchIsolating } from '../reservation/dispatcher/run-batch-isolating.js';
import { endHeld } from '../reservation/end-reservations.js';
import { findBlockedOrders } from '../reservation/locked-rows.js';
import type { ReservationTimer } from '../signals/reservation-timers.js';
import { moveStock } from '../stock/move-stock.js';
import { failsForAll } from '../stock/stock-errors.js';
import type { StockStore } from '../stock/stock-store.js';

/**
 * Ends those of the orders' holds that are due by PostgreSQL's clock. What another process is
 * ending at this moment is skipped. Timers that rang early are set again.
 *
 * @returns the orders whose holds this call ended
 */
export async function expireReservations(
  store: StockStore,
  orderIds: readonly string[],
): Promise<string[]> {
  const startedMs = performance.now();
  const { due } = await moveStock(
    store,
    async (em, openLedger, noteId) => {
      const held = await lockHeldReservations(em, orderIds);
      noteId(held[0]?.transactionId);
      const due = held.filter(({ lateMs }) => lateMs >= 0);
      const endings = due.map(({ orderId }) => {
        return { orderId, to: 'EXPIRED' as const, reason: 'PAYMENT_TIMEOUT' as const };
      });
      const locked = due.map(({ orderId }) => {
        return { orderId, state: 'HELD' as const, paymentId: null };
      });
      await endHeld(em, openLedger, locked, endings);
      const early: ReservationTimer[] = held
        .filter(({ lateMs }) => lateMs < 0)
        .map(({ orderId, expiresAt, lateMs }) => {
          return { orderId, expiresAt: new Date(expiresAt), leftMs: -lateMs };
        });
      return { due, early };
    },
    ({ early }) => ({ armed: early }),
    1,
  );
  // Until it was committed, to which the time of waiting for rows belongs.
  const tookMs = performance.now() - startedMs;
  for (const { lateMs } of due) store.metrics.expiryLag.observe((lateMs + tookMs) / 1000);
  store.metrics.ended.inc({ state: 'EXPIRED' }, due.length);
  return due.map(({ orderId }) => orderId);
}

/**
 * As `expireReservations`, but a hold that cannot be ended keeps up no other: a batch that fails is
 * taken apart.
 *
 * @param failed gets the orders whose holds cannot be ended now
 * @returns how many holds were ended
 */
export async function expireOrSplit(
  store: StockStore,
  orderIds: readonly string[],
  failed: Set<string>,
): Promise<number> {
  let ended = 0;
  await runBatchIsolating(orderIds, {
    async work(part) {
      ended += (await expireReservations(store, part)).length;
    },
    async findBlocked(part) {
      const blocked = await findBlockedOrders(store.orm.em.fork(), part);
      return part.filter((orderId) => blocked.has(orderId));
    },
    failed(part, error) {
      if (failsForAll(error)) throw error;
      for (const orderId of part) failed.add(orderId);
      const about = { err: error, orderId: part[0], holds: part.length };
      if (isTooSlow(error)) store.logger.warn(about, 'holds that are due wait for stock in use');
      else store.logger.error(about, 'a hold that is due cannot be released');
    },
    waitsMax: 1, // the sweeper comes again soon
  });
  return ended;
}
