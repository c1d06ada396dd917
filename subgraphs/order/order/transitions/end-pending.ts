import type { EntityManager } from '@mikro-orm/postgresql';
import { sqlPrepared } from '../../../shared/database/sql.js';
import { transact } from '../../../shared/database/transact.js';
import { newId } from '../../../shared/ids.js';
import { returnToCart } from '../../cart/return-to-cart.js';
import { subtractPurchases } from '../../purchase-limit/count-purchases.js';
import { assertTransition } from '../../state-machine.js';
import { nextNumberSql, orderNumberSql } from '../order-number.js';
import { markChanged } from '../order-signals.js';
import { type CancelReason, orderTransitions, shopOrderTransitions } from '../status.js';

/** The actor in the history for each reason; null for the order's customer. */
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
      /** leaves an order whose stock is held as it is: the answer for it came late */
      readonly unlessHeld?: true;
      /** the user who cancelled it, if not the customer */
      readonly actor?: string | undefined;
    };

/**
 * Takes an order and its shop orders out of `PENDING`, records it in the history, and on cancellation
 * subtracts the purchases and returns units to the cart.
 *
 * @returns whether this call did it; false if the order was no longer pending
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
  return em.isInTransaction() ? work(em) : transact(em, work);
}

async function leavePending(em: EntityManager, orderId: string, to: PendingEnd): Promise<boolean> {
  assertTransition(orderTransitions, 'PENDING', to.status);
  assertTransition(shopOrderTransitions, 'PENDING', to.status);
  const reason = to.status === 'CANCELLED' ? to.reason : null;
  const unlessHeld = to.status === 'CANCELLED' && to.unlessHeld === true;
  // Before the order (locks.ts).
  if (to.status === 'CANCELLED') await wakePayments(em, orderId);
  const actor = to.status === 'CANCELLED' ? (to.actor ?? actors[to.reason]) : 'payments';
  const changed = await sqlPrepared(
    em,
    `with ended as (
       update customer_order set status = $2, cancel_reason = $3, version = version + 1,
         updated_at = now()
       where id = $1 and status = 'PENDING'
         and (not $6 or expires_at is null)
       returning id, customer_id
     ), shop_orders as (
       update shop_order s set status = $2, never_paid = ($2 = 'CANCELLED'), updated_at = now()
       from ended where s.order_id = ended.id
     ), history as (
       insert into order_event (id, order_id, type, actor, reason)
       select $4::uuid, id, $2, coalesce($5::text, customer_id::text), $3 from ended
     )
     select id from ended`,
    [orderId, to.status, reason, newId(), actor, unlessHeld],
  );
  if (changed.length > 0) markChanged(em, orderId);
  return changed.length > 0;
}

/** Makes payments in progress due at once, so that the worker voids them. In the transaction of `em`. */
async function wakePayments(em: EntityManager, orderId: string): Promise<void> {
  await sqlPrepared(
    em,
    `update payment set next_attempt_at = now()
     where order_id = $1 and status in ('PENDING', 'AUTHORIZED') and next_attempt_at > now()`,
    [orderId],
  );
}

/**
 * Records that the stock of a pending order is held, once: it gets its number and its expiry.
 *
 * @returns false if it was recorded before, or the order is no longer pending
 */
export async function recordHeld(em: EntityManager, orderId: string, expiresAt: Date) {
  const changed = await sqlPrepared(
    em,
    `with next as (
       select ${nextNumberSql} as value
     ), reserved as (
       update customer_order set expires_at = $2, number = ${orderNumberSql('next.value')},
         version = version + 1, updated_at = now()
       from next where id = $1 and status = 'PENDING' and expires_at is null returning id
     ), history as (
       insert into order_event (id, order_id, type, actor)
       select $3::uuid, id, 'RESERVED', 'warehouse' from reserved
     )
     select id from reserved`,
    [orderId, expiresAt, newId()],
  );
  if (changed.length > 0) markChanged(em, orderId);
  return changed.length > 0;
}
