import { isTooSlow } from '../../shared/database/errors.js';
import { lockHeldReservations } from '../locks.js';
import { type HeldRows, runBatchIsolating } from '../reservation/dispatcher/run-batch-isolating.js';
import { endHeld } from '../reservation/end-reservations.js';
import { findBlockedOrders } from '../reservation/locked-rows.js';
import type { ReservationTimer } from '../signals/reservation-timers.js';
import { moveStock } from '../stock/move-stock.js';
import { failsForAll } from '../stock/stock-errors.js';
import type { StockStore } from '../stock/stock-store.js';

/**
 * Expires the reservations of these orders that are due by PostgreSQL’s clock. Skips those that
 * another transaction has locked, and sets the timers of those that are not due yet again.
 *
 * @returns the orders whose reservations this call expired
 */
export async function expireReservations(
  store: StockStore,
  orderIds: readonly string[],
): Promise<string[]> {
  const startedMs = performance.now();
  const { due } = await moveStock(
    store,
    async (em, openLedger, setTransactionId) => {
      const held = await lockHeldReservations(em, orderIds);
      setTransactionId(held[0]?.transactionId);
      const due = held.filter(({ lateMs }) => lateMs >= 0);
      const endings = due.map(({ orderId }) => {
        return { orderId, to: 'EXPIRED' as const, reason: 'PAYMENT_TIMEOUT' as const };
      });
      const locked = due.map(({ orderId, shopIds }) => {
        return { orderId, shopIds, state: 'HELD' as const };
      });
      await endHeld(em, openLedger, locked, endings);
      const early: ReservationTimer[] = held
        .filter(({ lateMs }) => lateMs < 0)
        .map(({ orderId, expiresAt, lateMs }) => {
          return { orderId, expiresAt: new Date(expiresAt), leftMs: -lateMs };
        });
      return { due, early };
    },
    { signalsOf: ({ early }) => ({ armed: early }), lockTimeoutsMax: 1, isStored: null },
  );
  // The lag lasts until the commit, the wait for rows included.
  const tookMs = performance.now() - startedMs;
  for (const { lateMs } of due) store.metrics.expiryLag.observe((lateMs + tookMs) / 1000);
  store.metrics.ended.inc({ state: 'EXPIRED' }, due.length);
  return due.map(({ orderId }) => orderId);
}

/**
 * As `expireReservations`, but a reservation that cannot be expired delays no other
 * (`runBatchIsolating`).
 *
 * @param failed the orders whose reservations cannot be expired now are added to it
 * @param held remembers that other transactions hold rows
 * @returns how many reservations were expired
 */
export async function expireIsolating(
  store: StockStore,
  orderIds: readonly string[],
  failed: Set<string>,
  held: HeldRows,
): Promise<number> {
  let expired = 0;
  await runBatchIsolating(orderIds, {
    async work(members) {
      expired += (await expireReservations(store, members)).length;
    },
    async findBlocked(members) {
      const blocked = await findBlockedOrders(store.orm.em.fork(), members);
      return members.filter((orderId) => blocked.has(orderId));
    },
    // The sweeper comes again soon.
    blocked(members) {
      for (const orderId of members) failed.add(orderId);
      const about = { orderId: members[0], reservations: members.length };
      store.logger.warn(about, 'expiry left out reservations of locked stock');
    },
    failed(members, error) {
      if (failsForAll(error)) throw error;
      for (const orderId of members) failed.add(orderId);
      const about = { err: error, orderId: members[0], reservations: members.length };
      if (isTooSlow(error)) store.logger.warn(about, 'expiry waited too long for locked stock');
      else store.logger.error(about, 'reservation could not be expired');
    },
    held,
  });
  return expired;
}
