import type { EntityManager } from '@mikro-orm/postgresql';
import { namedParameters } from '../../../shared/database/named-parameters.js';
import { sqlPrepared } from '../../../shared/database/sql.js';
import type { IdempotencyKeyRef } from '../../../shared/idempotency/claim-key.js';
import { newId } from '../../../shared/ids.js';
import { lowerHoldsCtes } from '../../hold-limit/count-holds.js';
import { subtractPurchasesCtes } from '../../purchase-limit/count-purchases.js';
import type { RowKey } from '../../row-key.js';
import { lowerSaleUnitsCtes } from '../../sale-limit/count-sale-units.js';
import { returnTicketsCtes } from '../../sale-queue/admission/passes.js';
import { assertTransition } from '../../state-machine.js';
import type { OrderEventType } from '../order-event.js';
import { nextNumberSql, orderNumberSql, storeNumbersSql } from '../order-number.js';
import { markChanged } from '../order-signals.js';
import { type CancelReason, orderTransitions, shopOrderTransitions } from '../status.js';

/** A change of a pending order. */
export type OrderChange =
  /** its stock is held: it gets its number and its expiry, once, and stays PENDING */
  | { readonly to: 'HELD'; readonly expiresAt: Date }
  | { readonly to: 'CONFIRMED' }
  | {
      readonly to: 'CANCELLED';
      readonly reason: CancelReason;
      /** leaves an order whose stock is held as it is: the answer for it came late */
      readonly unlessHeld?: true;
      /** the user who cancelled it, if not the customer */
      readonly actor?: string | undefined;
    };

export interface OrderWithChange {
  readonly order: RowKey;
  readonly change: OrderChange;
  /** the outcome to store under the idempotency key of its checkout, in the same statement */
  readonly stored?: { readonly key: IdempotencyKeyRef; readonly outcome: object };
}

/** The actor in the history for each reason; null for the order's customer. */
const actors: Readonly<Record<CancelReason, string | null>> = {
  OUT_OF_STOCK: 'checkout',
  PAYMENT_TIMEOUT: 'expiry',
  PAYMENT_FAILED: 'payments',
  BY_CUSTOMER: null,
  BY_SHOP: 'shop',
  ABANDONED: 'recovery',
};

/**
 * The one writer of changes of pending orders: in one statement it changes orders with their shop orders, records it in
 * their histories, keeps their numbers, counts what ends as no longer held, subtracts the purchases of those cancelled,
 * and stores the outcomes of idempotency keys. An order that is not pending, or is held and must not be, is left as it
 * is, with all that belongs to it.
 *
 * Units that a cancelled order took from a cart are returned by `endPending`.
 *
 * @returns for each order whether it was changed
 * @throws AssertionFailed for a transition that is not in the tables
 */
export async function changeOrders(
  em: EntityManager,
  orders: readonly OrderWithChange[],
): Promise<boolean[]> {
  const values = changeParameters.values({ change: orders.map(toRow) });
  const someEnd = orders.some(({ change }) => change.to !== 'HELD');
  const someHold = orders.some(({ change }) => change.to === 'HELD');
  const text = someEnd ? (someHold ? changeSql : endSql) : holdSql;
  const rows = await sqlPrepared<{ id: string }>(em, text, values);
  const changed = new Set(rows.map(({ id }) => id));
  for (const id of changed) markChanged(em, id);
  return orders.map(({ order }) => changed.has(order.id));
}

/** As `changeOrders`, for one order. */
export async function changeOrder(
  em: EntityManager,
  order: RowKey,
  change: OrderChange,
): Promise<boolean> {
  return (await changeOrders(em, [{ order, change }]))[0] === true;
}

function toRow({ order, change, stored }: OrderWithChange) {
  if (change.to !== 'HELD') {
    assertTransition(orderTransitions, 'PENDING', change.to);
    assertTransition(shopOrderTransitions, 'PENDING', change.to);
  }
  const { key, outcome } = stored ?? {};
  return {
    customer_id: order.customerId,
    id: order.id,
    event_id: newId(),
    to_status: change.to === 'HELD' ? 'PENDING' : change.to,
    unless_held: change.to === 'HELD' || (change.to === 'CANCELLED' && change.unlessHeld === true),
    ...historyOf(change),
    reason: change.to === 'CANCELLED' ? change.reason : null,
    expires_at: change.to === 'HELD' ? change.expiresAt : null,
    user_id: key?.userId ?? null,
    operation: key?.operation ?? null,
    key: key?.key ?? null,
    outcome: outcome ?? null,
  };
}

function historyOf(change: OrderChange): { event_type: OrderEventType; actor: string | null } {
  switch (change.to) {
    case 'HELD':
      return { event_type: 'RESERVED', actor: 'warehouse' };
    case 'CONFIRMED':
      return { event_type: 'CONFIRMED', actor: 'payments' };
    case 'CANCELLED':
      return { event_type: 'CANCELLED', actor: change.actor ?? actors[change.reason] };
  }
}

const orderChangeColumns = {
  customer_id: 'uuid',
  id: 'uuid',
  event_id: 'uuid',
  to_status: 'text',
  unless_held: 'boolean',
  event_type: 'text',
  actor: 'text',
  reason: 'text',
  expires_at: 'timestamptz',
  user_id: 'uuid',
  operation: 'text',
  key: 'text',
  outcome: 'jsonb',
} as const;
const changeParameters = namedParameters({ change: orderChangeColumns });

/** `to` of the changes of one statement. */
type KindsOfChange = Partial<Record<OrderChange['to'], true>>;

/**
 * SQL that changes pending orders: the CTEs `order_change`, `changed_order`, which has the changed rows, and
 * those of what belongs to them. By the keys of customer_order, shop_order and the counters, shop_order_order and
 * order_item_shop_order.
 *
 * @param changes a set of rows with `orderChangeColumns`
 * @param kinds of these changes. What is only held leaves the rest as it is, and what is paid keeps what is counted as
 *   bought: these two are every paid checkout
 */
export const orderChangeCtes = (changes: string, kinds: KindsOfChange) => `
  order_change as (
    select *, case when expires_at is not null then ${nextNumberSql} end as number_value
    from ${changes}
  ), changed_order as (
    update customer_order o
    set status = c.to_status, cancel_reason = c.reason,
      expires_at = coalesce(c.expires_at, o.expires_at),
      number = coalesce(${orderNumberSql('c.number_value')}, o.number),
      version = version + 1, updated_at = now()
    from order_change c where o.customer_id = c.customer_id and o.id = c.id
      and o.status = 'PENDING'
      and (not c.unless_held or o.expires_at is null)
    returning ${ends(kinds) ? 'o.*' : 'o.id, o.customer_id, o.number'}
  ), order_history as (
    insert into order_event (customer_id, id, order_id, type, actor, reason)
    select o.customer_id, event_id, o.id, event_type, coalesce(actor, o.customer_id::text), reason
    from changed_order o join order_change c on c.customer_id = o.customer_id and c.id = o.id
  )${kinds.HELD ? `, numbered as (${storeNumbersSql('changed_order', 'order_change')})` : ''}${
    ends(kinds) ? `, ${endedOrderCtes}` : ''
  }${kinds.CANCELLED ? `, ${cancelledOrderCtes}` : ''}, stored_outcome as (
    update idempotency_key k set outcome = c.outcome, updated_at = now()
    from changed_order o join order_change c on c.customer_id = o.customer_id and c.id = o.id
    where k.user_id = c.user_id and k.operation = c.operation and k.key = c.key
      and k.subject_id = c.id and k.outcome is null
  )`;

/** Whether any takes its order out of PENDING. */
const ends = ({ CONFIRMED, CANCELLED }: KindsOfChange) => CONFIRMED || CANCELLED;

const endedOrderCtes = `changed_shop_order as (
    update shop_order s set status = o.status, never_paid = (o.status = 'CANCELLED'),
      updated_at = now()
    from changed_order o where s.customer_id = o.customer_id and s.order_id = o.id
      and o.status <> 'PENDING'
  ), ended_line as materialized (
    select o.customer_id, o.id as order_id, o.status, o.sale_address, s.shop_id, i.sku, i.offer_id,
      i.sale_id, i.quantity,
      (o.cancel_reason = 'PAYMENT_TIMEOUT' and o.number is not null)::int as expired
    from changed_order o join shop_order s on s.customer_id = o.customer_id and s.order_id = o.id
      join order_item i on i.customer_id = s.customer_id and i.shop_order_id = s.id
    where o.status <> 'PENDING'
  ), ${lowerHoldsCtes(`
    select customer_id, max(orders) as orders, jsonb_object_agg(offer_id, units) as units
    from (
      select customer_id, offer_id, sum(quantity) as units from ended_line group by 1, 2) as each_offer
      join (select customer_id, count(*) as orders from changed_order where status <> 'PENDING'
        group by 1) as ended using (customer_id)
    group by customer_id`)}`;

const cancelledOrderCtes = `${subtractPurchasesCtes(`
    select customer_id, shop_id, sku, sum(quantity) as units from ended_line
    where status = 'CANCELLED' and (select count(*) from locked_hold) >= 0 group by 1, 2, 3`)},
  ${returnTicketsCtes('ended_line', 'locked_purchase')},
  ${lowerSaleUnitsCtes(
    `select customer_id, sale_id, offer_id, sale_address as address, quantity, expired
    from ended_line where status = 'CANCELLED' and sale_id is not null`,
    'ended_ticket',
  )}`;

const changeOrdersSql = (kinds: KindsOfChange) => `
  with ${orderChangeCtes(changeParameters.sql.change, kinds)}
  select id from changed_order`;
const changeSql = changeOrdersSql({ HELD: true, CONFIRMED: true, CANCELLED: true });
const endSql = changeOrdersSql({ CONFIRMED: true, CANCELLED: true });
const holdSql = changeOrdersSql({ HELD: true });
