import type { EntityManager } from '@mikro-orm/postgresql';
import { sqlPrepared } from '../../../shared/database/sql.js';
import { transact } from '../../../shared/database/transact.js';
import { returnToCart } from '../../cart/return-to-cart.js';
import type { RowKey } from '../../row-key.js';
import { markPaymentsDue } from '../payment-signals.js';
import { changeOrder, type OrderChange } from './change-orders.js';

export type PendingEnd = Exclude<OrderChange, { to: 'HELD' }>;

/**
 * Takes an order and its shop orders out of `PENDING`. On cancellation it returns units to the cart, and
 * has the payment worker end the payments in progress.
 *
 * @returns whether this call did it; false if the order was no longer pending
 */
export async function endPending(
  em: EntityManager,
  order: RowKey,
  to: PendingEnd,
): Promise<boolean> {
  const work = async (tx: EntityManager) => {
    if (to.to === 'CONFIRMED') return changeOrder(tx, order, to);
    // Before the order (locks.ts).
    await makePaymentsDue(tx, order);
    const ended = await changeOrder(tx, order, to);
    if (ended) await returnToCart(tx, order);
    return ended;
  };
  return em.isInTransaction() ? work(em) : transact(em, work);
}

/** In the transaction of `em`. The worker is woken after its commit. */
async function makePaymentsDue(
  em: EntityManager,
  { customerId, id: orderId }: RowKey,
): Promise<void> {
  const due = await sqlPrepared<{ id: string }>(
    em,
    `update payment set next_attempt_at = now()
     where customer_id = $1 and order_id = $2 and status in ('PENDING', 'AUTHORIZED')
       and next_attempt_at > now()
     returning id`,
    [customerId, orderId],
  );
  markPaymentsDue(
    em,
    due.map(({ id }) => id),
  );
}

/**
 * Records that the stock of a pending order is held, once: it gets its number and its expiry.
 *
 * @returns false if it was recorded before, or the order is no longer pending
 */
export const recordHeld = (em: EntityManager, order: RowKey, expiresAt: Date) =>
  changeOrder(em, order, { to: 'HELD', expiresAt });
