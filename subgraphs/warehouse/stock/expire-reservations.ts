import { sql } from '../../shared/database.js';
import { endHeld, lockReservations } from './end-reservations.js';
import type { StockStore } from './engine.js';
import type { Hold } from './hold-timers.js';
import { moveStock } from './move-stock.js';

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
  const { due } = await moveStock(
    store,
    async (em, openLedger) => {
      const held = await sql<{ orderId: string; expiresAt: string; lateMs: number }>(
        em,
        `select order_id as "orderId", expires_at as "expiresAt",
           (extract(epoch from clock_timestamp() - expires_at) * 1000)::float as "lateMs"
         from reservation where order_id = any($1::uuid[]) and state = 'HELD'
         order by order_id for update skip locked`,
        [orderIds],
      );
      const due = held.filter(({ lateMs }) => lateMs >= 0);
      const endings = due.map(({ orderId }) => {
        return { orderId, to: 'EXPIRED' as const, reason: 'PAYMENT_TIMEOUT' as const };
      });
      const reservations = await lockReservations(
        em,
        due.map(({ orderId }) => orderId),
      );
      await endHeld(em, openLedger, reservations, endings);
      const early: Hold[] = held
        .filter(({ lateMs }) => lateMs < 0)
        .map(({ orderId, expiresAt }) => ({ orderId, expiresAt: new Date(expiresAt) }));
      return { due, early };
    },
    ({ early }) => ({ armed: early }),
  );
  for (const { lateMs } of due) store.metrics.expiryLag.observe(lateMs / 1000);
  store.metrics.ended.inc({ state: 'EXPIRED' }, due.length);
  return due.map(({ orderId }) => orderId);
}
