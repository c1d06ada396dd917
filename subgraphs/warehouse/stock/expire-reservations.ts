import { sql } from '../../shared/database.js';
import type { StockEngine } from '../context.js';
import { endHeld, lockReservations } from './end-reservations.js';
import type { Hold } from './hold-timers.js';
import { moveStock } from './ledger.js';

/**
 * Ends those of the orders' holds that are due by PostgreSQL's clock. What another process is
 * ending at this moment is skipped. Timers that rang early are set again.
 *
 * @returns the orders whose holds this call ended
 */
export async function expireReservations(
  engine: StockEngine,
  orderIds: readonly string[],
): Promise<string[]> {
  const { expired, early } = await moveStock(engine, async (em, openLedger) => {
    const held = await sql<{ orderId: string; expiresAt: string; due: boolean }>(
      em,
      `select order_id as "orderId", expires_at as "expiresAt", expires_at <= clock_timestamp() as due
       from reservation where order_id = any($1::uuid[]) and state = 'HELD'
       order by order_id for update skip locked`,
      [orderIds],
    );
    const due = held.filter((row) => row.due).map(({ orderId }) => orderId);
    const endings = due.map((orderId) => {
      return { orderId, to: 'EXPIRED' as const, reason: 'PAYMENT_TIMEOUT' as const };
    });
    if (due.length > 0) await endHeld(em, openLedger, await lockReservations(em, due), endings);
    const early: Hold[] = held
      .filter((row) => !row.due)
      .map(({ orderId, expiresAt }) => ({ orderId, expiresAt: new Date(expiresAt) }));
    return { expired: due, early };
  });
  engine.timers.arm(early);
  return expired;
}
