import { sql } from '../../shared/database.js';
import { inHalves } from '../../shared/halves.js';
import { endHeld } from './end-reservations.js';
import type { StockStore } from './engine.js';
import type { Hold } from './hold-timers.js';
import { failsForAll, moveStock } from './move-stock.js';

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
      const locked = due.map(({ orderId }) => {
        return { orderId, state: 'HELD' as const, paymentId: null };
      });
      await endHeld(em, openLedger, locked, endings);
      const early: Hold[] = held
        .filter(({ lateMs }) => lateMs < 0)
        .map(({ orderId, expiresAt }) => ({ orderId, expiresAt: new Date(expiresAt) }));
      return { due, early };
    },
    ({ early }) => ({ armed: early }),
  );
  // Until it was committed, to which the time of waiting for rows belongs.
  const tookMs = performance.now() - startedMs;
  for (const { lateMs } of due) store.metrics.expiryLag.observe((lateMs + tookMs) / 1000);
  store.metrics.ended.inc({ state: 'EXPIRED' }, due.length);
  return due.map(({ orderId }) => orderId);
}

/**
 * As `expireReservations`, but a hold that cannot be ended keeps up no other: a batch that fails is
 * split.
 *
 * @param failed gets the orders whose holds cannot be ended
 * @returns how many holds were ended
 */
export async function expireOrSplit(
  store: StockStore,
  orderIds: readonly string[],
  failed: Set<string>,
): Promise<number> {
  let ended = 0;
  const expire = async (part: readonly string[]) => {
    ended += (await expireReservations(store, part)).length;
  };
  await inHalves(orderIds, expire, failsForAll, (part, error) => {
    if (failsForAll(error)) throw error;
    for (const orderId of part) {
      failed.add(orderId);
      store.logger.error({ err: error, orderId }, 'a hold that is due cannot be released');
    }
  });
  return ended;
}
