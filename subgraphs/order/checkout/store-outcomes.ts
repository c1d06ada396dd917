import type { EntityManager } from '@mikro-orm/postgresql';
import { namedParameters } from '../../shared/database/named-parameters.js';
import { sqlPrepared } from '../../shared/database/sql.js';
import type { IdempotencyKeyRef } from '../../shared/idempotency/claim-key.js';
import { newId } from '../../shared/ids.js';
import { nextNumberSql, orderNumberSql } from '../order/order-number.js';
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
export interface RefusedCheckout extends OrderOutcome {
  readonly claimedUntil: string;
}
export interface ReservedOrder extends OrderOutcome {
  readonly expiresAt: Date;
}

/**
 * Records the reservations of pending orders and the outcomes of their keys, in one statement: as
 * `recordHeld` and `storeOutcome`, for orders with no line in a cart.
 *
 * @returns for each order whether it was changed; nothing is stored for the others
 */
export function markReserved(
  em: EntityManager,
  orders: readonly ReservedOrder[],
): Promise<boolean[]> {
  const request = orders.map((order) => ({ ...toRequest(order), expires_at: order.expiresAt }));
  return changeOrders(em, orders, markReservedSql, markReservedParameters.values({ request }));
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
  const values = cancelParameters.values({ request: orders.map(toRequest) });
  return changeOrders(em, orders, cancelOutOfStockSql, values);
}

/**
 * Stores the outcomes of checkouts for which no order was placed, in one statement.
 *
 * @returns for each key whether it was stored: not if it has an outcome or an order, or another process
 *   claimed it meanwhile, which may be about to place the order
 */
export async function storeRefusals(
  em: EntityManager,
  refused: readonly RefusedCheckout[],
): Promise<boolean[]> {
  const request = refused.map(
    ({ orderId, key: { userId, operation, key }, outcome, claimedUntil }) => {
      return { id: orderId, user_id: userId, operation, key, outcome, claimed_until: claimedUntil };
    },
  );
  const values = refusalParameters.values({ request });
  const rows = await sqlPrepared<{ id: string }>(em, storeRefusalsSql, values);
  const stored = new Set(rows.map(({ id }) => id));
  return refused.map(({ orderId }) => stored.has(orderId));
}

const requestColumns = {
  id: 'uuid',
  event_id: 'uuid',
  user_id: 'uuid',
  operation: 'text',
  key: 'text',
  outcome: 'jsonb',
} as const;
const markReservedParameters = namedParameters({
  request: { ...requestColumns, expires_at: 'timestamptz' },
});
const cancelParameters = namedParameters({ request: requestColumns });

const { event_id: _, ...refusalColumns } = requestColumns;
const refusalParameters = namedParameters({
  request: { ...refusalColumns, claimed_until: 'timestamptz' },
});

const toRequest = ({ orderId, key: { userId, operation, key }, outcome }: OrderOutcome) => {
  return { id: orderId, event_id: newId(), user_id: userId, operation, key, outcome };
};

async function changeOrders(
  em: EntityManager,
  orders: readonly OrderOutcome[],
  text: string,
  values: unknown[],
): Promise<boolean[]> {
  const rows = await sqlPrepared<{ id: string }>(em, text, values);
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
    select *, ${nextNumberSql} as number_value from ${markReservedParameters.sql.request}
  ), changed as (
    update customer_order o
    set expires_at = request.expires_at, number = ${orderNumberSql('request.number_value')},
      version = version + 1, updated_at = now()
    from request where o.id = request.id and o.status = 'PENDING' and o.expires_at is null
    returning o.id
  ), history as (
    insert into order_event (id, order_id, type, actor)
    select event_id, id, 'RESERVED', 'warehouse' from changed join request using (id)
  ), ${storeOutcomesCte}
  select id from changed`;

const cancelOutOfStockSql = `
  with request as (
    select * from ${cancelParameters.sql.request}
  ), changed as (
    update customer_order o
    set status = 'CANCELLED', cancel_reason = 'OUT_OF_STOCK', version = version + 1,
      updated_at = now()
    from request where o.id = request.id and o.status = 'PENDING' and o.expires_at is null
    returning o.id, o.customer_id
  ), shop_orders as (
    update shop_order s set status = 'CANCELLED', never_paid = true, updated_at = now()
    from changed where s.order_id = changed.id
  ), history as (
    insert into order_event (id, order_id, type, actor, reason)
    select event_id, id, 'CANCELLED', 'checkout', 'OUT_OF_STOCK' from changed join request using (id)
  ), ${subtractPurchasesCtes('changed')}, ${storeOutcomesCte}
  select id from changed`;

const storeRefusalsSql = `
  with request as (
    select * from ${refusalParameters.sql.request}
  )
  update idempotency_key k set outcome = request.outcome, updated_at = now()
  from request
  where k.user_id = request.user_id and k.operation = request.operation and k.key = request.key
    and k.subject_id = request.id and k.outcome is null and k.claimed_until = request.claimed_until
    and not exists (select from customer_order o where o.id = request.id)
  returning request.id`;
