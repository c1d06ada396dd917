import { type EntityManager, sql } from '../../shared/database.js';
import { wakePayments } from '../payment/wake-payments.js';
import type { CancelReason } from './status.js';

/**
 * Takes an order and its parts out of `PENDING`, if that is where it is.
 *
 * @returns whether this call did it
 */
export async function endPending(
  em: EntityManager,
  orderId: string,
  to: { status: 'CONFIRMED' } | { status: 'CANCELLED'; reason: CancelReason },
): Promise<boolean> {
  const reason = to.status === 'CANCELLED' ? to.reason : null;
  // Before the order: payments are locked before their orders.
  if (to.status === 'CANCELLED') await wakePayments(em, orderId);
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
    [orderId, to.status, reason],
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
