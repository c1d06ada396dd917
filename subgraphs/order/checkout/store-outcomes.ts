import type { EntityManager } from '@mikro-orm/postgresql';
import { sqlPrepared } from '../../shared/database/sql.js';
import type { IdempotencyKeyRef } from '../../shared/idempotency.js';
import { newId } from '../../shared/ids.js';
import { markChanged } from '../order/order-signals.js';
import { orderTransitions, shopOrderTransitions } from '../order/status.js';
import { subtractPurchasesCtes } from '../purchase-limit/count-purchases.js';
import { assertTransition } from '../state-machine.js';

/** An order with its idempotency key and the outcome to store under it. */
export interface OrderOutcome {
  readonly orderId: string;
  readonly key: IdempotencyKeyRef;
  readonly outcome: object;
}
export interface ReservedOrder extends OrderOutcome {
  readonly expiresAt: Date;
}

/**
 * Records the reservations of pending orders and the outcomes of their keys, in one statement: as
 * `setExpiresAt` and `storeOutcome`, for orders with no line in a cart.
 *
 * @returns for each order whether it was changed; nothing is stored for the others
 */
export function markReserved(
  em: EntityManager,
  orders: readonly ReservedOrder[],
): Promise<boolean[]> {
  return writeOutcomes(em, markReservedSql, orders, [orders.map(({ expiresAt }) => expiresAt)]);
}

/**
 * Cancels pending orders as out of stock and stores the outcomes of their keys, in one statement: as
 * `endPending` and `storeOutcome`, for orders with no line in a cart and no payment.
 *
 * @returns for each order whether it was cancelled; nothing is stored for the others
 */
export function cancelOutOfStock(
  em: EntityManager,
  orders: readonly OrderOutcome[],
): Promise<boolean[]> {
  assertTransition(orderTransitions, 'PENDING', 'CANCELLED');
  assertTransition(shopOrderTransitions, 'PENDING', 'CANCELLED');
  return writeOutcomes(em, cancelOutOfStockSql, orders, []);
}

async function writeOutcomes(
  em: EntityManager,
  text: string,
  orders: readonly OrderOutcome[],
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
  const changed = new Set(rows.map(({ id }) => id));
  for (const id of changed) markChanged(em, id);
  return orders.map(({ orderId }) => changed.has(orderId));
}

/** Stores the outcomes of the orders in `changed`, a subset of `request`. */
const storeOutcomesCte = `stored_outcomes as (
    update idempotency_key k set outcome = request.outcome, updated_at = now()
    from changed join request using (id)
    where k.user_id = request.user_id and k.operation = request.operation and k.key = request.key
      and k.subject_id = request.id and k.outcome is null
  )`;

const markReservedSql = `
  with request as (
    select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::jsonb[],
      $7::timestamptz[]) as request (id, event_id, user_id, operation, key, outcome, expires_at)
  ), changed as (
    update customer_order o
    set expires_at = request.expires_at, version = version + 1, updated_at = now()
    from request where o.id = request.id and o.status = 'PENDING' and o.expires_at is null
    returning o.id
  ), history as (
    insert into order_event (id, order_id, type, actor)
    select event_id, id, 'RESERVED', 'warehouse' from changed join request using (id)
  ), ${storeOutcomesCte}
  select id from changed`;

const cancelOutOfStockSql = `
  with request as (
    select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::jsonb[])
      as request (id, event_id, user_id, operation, key, outcome)
  ), changed as (
    update customer_order o
    set status = 'CANCELLED', cancel_reason = 'OUT_OF_STOCK', version = version + 1,
      updated_at = now()
    from request where o.id = request.id and o.status = 'PENDING' and o.expires_at is null
    returning o.id, o.customer_id
  ), shop_orders as (
    update shop_order s set status = 'CANCELLED', updated_at = now()
    from changed where s.order_id = changed.id
  ), history as (
    insert into order_event (id, order_id, type, actor, reason)
    select event_id, id, 'CANCELLED', 'checkout', 'OUT_OF_STOCK' from changed join request using (id)
  ), ${subtractPurchasesCtes('changed')}, ${storeOutcomesCte}
  select id from changed`;
