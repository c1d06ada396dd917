import { type EntityManager, sql } from '../../shared/database.js';
import { returnToCart } from '../cart/move-cart.js';
import { giveBackPurchases } from '../purchase/count-purchases.js';
import type { CancelReason, OrderStatus } from './status.js';

/**
 * Takes an order and its parts out of `PENDING`, if that is where it is, and does all in the
 * database that follows from it: what was not bought in the end no longer counts as bought, and
 * what came from the cart is there again.
 *
 * @returns whether this call did it
 */
export async function endPending(
  em: EntityManager,
  orderId: string,
  to: { status: 'CONFIRMED' } | { status: 'CANCELLED'; reason: CancelReason },
): Promise<boolean> {
  const reason = to.status === 'CANCELLED' ? to.reason : null;
  const work = async (tx: EntityManager) => {
    const ended = await leavePending(tx, orderId, to.status, reason);
    if (ended && to.status === 'CANCELLED') {
      await giveBackPurchases(tx, orderId);
      await returnToCart(tx, orderId);
    }
    return ended;
  };
  return em.isInTransaction() ? work(em) : em.fork().transactional(work);
}

async function leavePending(
  em: EntityManager,
  orderId: string,
  status: OrderStatus,
  reason: CancelReason | null,
): Promise<boolean> {
  const changed = await sql(
    em,
    `with ended as (
       update customer_order set status = $2, cancel_reason = $3, version = version + 1,
         updated_at = now()
       where id = $1 and status = 'PENDING' returning id
     ), parts as (
       update shop_order set status = $2, updated_at = now()
       where order_id in (select id from ended)
     )
     select id from ended`,
    [orderId, status, reason],
  );
  return changed.length > 0;
}

/** Writes down until when the stock of a pending order is held. @returns false where it ended */
export async function setExpiresAt(em: EntityManager, orderId: string, expiresAt: Date) {
  const changed = await sql(
    em,
    `update customer_order set expires_at = $2, version = version + 1, updated_at = now()
     where id = $1 and status = 'PENDING' returning id`,
    [orderId, expiresAt],
  );
  return changed.length > 0;
}
