import type { EntityManager } from '@mikro-orm/postgresql';
import { sqlPrepared } from '../../../shared/database/sql.js';
import { newId } from '../../../shared/ids.js';
import { returnToCart } from '../../cart/move-cart.js';
import { subtractPurchases } from '../../purchase-limit/count-purchases.js';
import { markChanged } from '../order-signals.js';
import type { CancelReason } from '../status.js';

/** Which part of the system takes an order out of `PENDING`; null: its customer. */
const actors: Readonly<Record<CancelReason, string | null>> = {
  OUT_OF_STOCK: 'checkout',
  PAYMENT_TIMEOUT: 'expiry',
  PAYMENT_FAILED: 'payments',
  BY_CUSTOMER: null,
  BY_SHOP: 'shop',
  ABANDONED: 'recovery',
};

export type PendingEnd =
  | { readonly status: 'CONFIRMED' }
  | {
      readonly status: 'CANCELLED';
      readonly reason: CancelReason;
      /** the user who did it, where it was not the customer */
      readonly actor?: string | undefined;
    };

/**
 * Takes an order and its parts out of `PENDING`, if that is where it is, writes it into its history,
 * and does all in the database that follows from it: what was not bought in the end no longer counts
 * as bought, and what came from the cart is there again. One whose stock is held is not out of stock:
 * who was told so was told late.
 *
 * @returns whether this call did it
 */
export async function endPending(
  em: EntityManager,
  orderId: string,
  to: PendingEnd,
): Promise<boolean> {
  const work = async (tx: EntityManager) => {
    const ended = await leavePending(tx, orderId, to);
    if (ended && to.status === 'CANCELLED') {
      await subtractPurchases(tx, orderId);
      await returnToCart(tx, orderId);
    }
    return ended;
  };
  return em.isInTransaction() ? work(em) : em.fork().transactional(work);
}

async function leavePending(em: EntityManager, orderId: string, to: PendingEnd): Promise<boolean> {
  const reason = to.status === 'CANCELLED' ? to.reason : null;
  // Before the order: payments are locked before their orders.
  if (to.status === 'CANCELLED') await wakePayments(em, orderId);
  const actor = to.status === 'CANCELLED' ? (to.actor ?? actors[to.reason]) : 'payments';
  const changed = await sqlPrepared(
    em,
    `with ended as (
       update customer_order set status = $2, cancel_reason = $3, version = version + 1,
         updated_at = now()
       where id = $1 and status = 'PENDING'
         and ($3 is distinct from 'OUT_OF_STOCK' or expires_at is null)
       returning id, customer_id
     ), shop_orders as (
       update shop_order set status = $2, updated_at = now()
       where order_id in (select id from ended)
     ), history as (
       insert into order_event (id, order_id, type, actor, reason)
       select $4::uuid, id, $2, coalesce($5::text, customer_id::text), $3 from ended
     )
     select id from ended`,
    [orderId, to.status, reason, newId(), actor],
  );
  if (changed.length > 0) markChanged(em, orderId);
  return changed.length > 0;
}

/** Has a worker let go at once what is on its way for an order that ends, in the transaction of `em`. */
async function wakePayments(em: EntityManager, orderId: string): Promise<void> {
  await sqlPrepared(
    em,
    `update payment set next_attempt_at = now()
     where order_id = $1 and status in ('PENDING', 'AUTHORIZED') and next_attempt_at > now()`,
    [orderId],
  );
}

/**
 * Writes down until when the stock of a pending order is held, once.
 *
 * @returns false where that was written before, or the order ended
 */
export async function setExpiresAt(em: EntityManager, orderId: string, expiresAt: Date) {
  const changed = await sqlPrepared(
    em,
    `with held as (
       update customer_order set expires_at = $2, version = version + 1, updated_at = now()
       where id = $1 and status = 'PENDING' and expires_at is null returning id
     ), history as (
       insert into order_event (id, order_id, type, actor)
       select $3::uuid, id, 'RESERVED', 'warehouse' from held
     )
     select id from held`,
    [orderId, expiresAt, newId()],
  );
  if (changed.length > 0) markChanged(em, orderId);
  return changed.length > 0;
}
