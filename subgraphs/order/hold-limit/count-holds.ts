import type { EntityManager } from '@mikro-orm/postgresql';
import { sqlPrepared } from '../../shared/database/sql.js';
import type { PlacingLimit } from '../placing-limit.js';
import { offerUnitColumns } from '../purchase-limit/count-purchases.js';

/** SQL for units by offer with those of another object added to them. */
const plus = (units: string, others: string) => `(
    select ${units} || jsonb_object_agg(key, coalesce((${units}->>key)::bigint, 0) + value::bigint)
    from jsonb_each_text(${others}))`;

/** SQL for units by offer without those of another object; none of 0. */
const minus = (units: string, others: string) => `(
    select coalesce(jsonb_object_agg(key, units), '{}') from (
      select key, value::bigint - coalesce((${others}->>key)::bigint, 0) as units
      from jsonb_each_text(${units})) as each_offer
    where units > 0)`;

/**
 * A CTE that locks the counters of customers in the order of their keys.
 *
 * @param of a set of rows with `customer_id`, each once
 */
export const lockedHolds = (of: string) => `locked_hold as materialized (
    select h.customer_id, h.open_orders, h.open_units
    from customer_hold h join ${of} using (customer_id)
    order by h.customer_id for update of h
  )`;

/** Open orders of a customer, and units of each offer in them. */
export const holdLimit: PlacingLimit = {
  rows: {
    hold: { customer_id: 'uuid', order_id: 'uuid', units: 'jsonb', open_orders_max: 'int' },
    offer_unit: offerUnitColumns,
  },
  locked: 'locked_hold',
  lock: () => lockedHolds('hold'),
  violations: `
    select n.order_id, 'OPEN_ORDERS' as kind, null::uuid as offer_id, null::uuid as sale_id,
      h.open_orders as counted, n.open_orders_max as max_count
    from hold n join locked_hold h using (customer_id)
    where h.open_orders >= n.open_orders_max
    union all
    select order_id, 'OPEN_UNITS', offer_id, null, counted, hold_limit
    from (
      select u.*, coalesce((h.open_units->>u.offer_id::text)::int, 0) as counted
      from offer_unit u left join locked_hold h using (customer_id)) u
    where counted + quantity > hold_limit`,
  count: `raised_hold as (
    update customer_hold h set open_orders = l.open_orders + 1,
      open_units = ${plus('l.open_units', 'n.units')}, updated_at = now()
    from locked_hold l join placed_hold n using (customer_id) where h.customer_id = l.customer_id
  ), new_hold as (
    insert into customer_hold (customer_id, open_orders, open_units)
    select customer_id, 1, units from placed_hold
    where customer_id not in (select customer_id from locked_hold) order by customer_id
  )`,
};

/**
 * CTEs that count orders as no longer open. None falls below 0: a wrong counter, which `verify` reports, must not
 * prevent a payment.
 *
 * @param ended a query with `customer_id`, each once, `orders`, and `units` by offer
 */
export const lowerHoldsCtes = (ended: string) => `ended_hold as materialized (${ended}),
  ${lockedHolds('ended_hold')}, lowered_hold as (
    update customer_hold h set open_orders = greatest(0, l.open_orders - e.orders),
      open_units = ${minus('l.open_units', 'e.units')}, updated_at = now()
    from locked_hold l join ended_hold e using (customer_id) where h.customer_id = l.customer_id
  )`;

/**
 * When the first of a customer's open orders expires; null while none is held.
 *
 * @param lowestId the lowest id that an open order can have, so that not all orders of the customer are read
 */
export async function readFirstExpiry(
  em: EntityManager,
  customerId: string,
  lowestId: string,
): Promise<string | null> {
  const rows = await sqlPrepared<{ expiresAt: string | null }>(
    em,
    `select min(expires_at) as "expiresAt" from customer_order
     where customer_id = $1 and id >= $2 and status = 'PENDING' and expires_at is not null`,
    [customerId, lowestId],
  );
  return rows[0]?.expiresAt ?? null;
}
