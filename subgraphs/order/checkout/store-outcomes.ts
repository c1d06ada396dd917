import type { EntityManager } from '@mikro-orm/postgresql';
import { sqlPrepared } from '../../shared/database/sql.js';
import type { IdempotencyKeyRef } from '../../shared/idempotency.js';
import { newId } from '../../shared/ids.js';
import { noteChanged } from '../order/order-signals.js';
import { givingBack } from '../purchase-limit/count-purchases.js';

/** An order with what is stored under its key when it is written down what became of it. */
export interface SettledOrder {
  readonly orderId: string;
  readonly key: IdempotencyKeyRef;
  readonly outcome: object;
}
export interface HeldOrder extends SettledOrder {
  readonly expiresAt: Date;
}

/**
 * Writes down until when the stock of pending orders is held, with the outcomes of their keys, in one
 * statement: as `setExpiresAt` and `storeOutcome`, for orders of which nothing is in a cart.
 *
 * @returns for each whether it was written; nothing is stored for the others
 */
export function holdOrders(em: EntityManager, orders: readonly HeldOrder[]): Promise<boolean[]> {
  return settle(em, holding, orders, [orders.map(({ expiresAt }) => expiresAt)]);
}

/**
 * Ends pending orders for which there is no stock, with the outcomes of their keys, in one statement: as
 * `endPending` and `storeOutcome`, for orders of which nothing is in a cart and that nobody can have paid.
 *
 * @returns for each whether it was ended; nothing is stored for the others
 */
export function refuseOrders(
  em: EntityManager,
  orders: readonly SettledOrder[],
): Promise<boolean[]> {
  return settle(em, refusing, orders, []);
}

async function settle(
  em: EntityManager,
  text: string,
  orders: readonly SettledOrder[],
  more: readonly unknown[],
): Promise<boolean[]> {
  const rows = await sqlPrepared<{ id: string }>(em, text, [
    orders.map(({ orderId }) => orderId),
    orders.map(() => newId()),
    orders.map(({ key }) => key.userId),
    orders.map(({ key }) => key.operation),
    orders.map(({ key }) => key.key),
    orders.map(({ outcome }) => JSON.stringify(outcome)),
    ...more,
  ]);
  const settled = new Set(rows.map(({ id }) => id));
  for (const id of settled) noteChanged(em, id);
  return orders.map(({ orderId }) => settled.has(orderId));
}

/** Stores the outcomes of the orders in `settled`, which are some of those in `asked`. */
const stored = `stored as (
    update idempotency_key k set outcome = asked.outcome, updated_at = now()
    from settled join asked using (id)
    where k.user_id = asked.user_id and k.operation = asked.operation and k.key = asked.key
      and k.subject_id = asked.id and k.outcome is null
  )`;

const holding = `
  with asked as (
    select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::jsonb[],
      $7::timestamptz[]) as asked (id, event_id, user_id, operation, key, outcome, expires_at)
  ), settled as (
    update customer_order o
    set expires_at = asked.expires_at, version = version + 1, updated_at = now()
    from asked where o.id = asked.id and o.status = 'PENDING' and o.expires_at is null
    returning o.id
  ), history as (
    insert into order_event (id, order_id, type, actor)
    select event_id, id, 'RESERVED', 'warehouse' from settled join asked using (id)
  ), ${stored}
  select id from settled`;

const refusing = `
  with asked as (
    select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::jsonb[])
      as asked (id, event_id, user_id, operation, key, outcome)
  ), settled as (
    update customer_order o
    set status = 'CANCELLED', cancel_reason = 'OUT_OF_STOCK', version = version + 1,
      updated_at = now()
    from asked where o.id = asked.id and o.status = 'PENDING' and o.expires_at is null
    returning o.id, o.customer_id
  ), parts as (
    update shop_order s set status = 'CANCELLED', updated_at = now()
    from settled where s.order_id = settled.id
  ), history as (
    insert into order_event (id, order_id, type, actor, reason)
    select event_id, id, 'CANCELLED', 'checkout', 'OUT_OF_STOCK' from settled join asked using (id)
  ), ${givingBack('settled')}, ${stored}
  select id from settled`;
