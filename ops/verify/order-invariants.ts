import { ordersSince, shopOrdersSince } from './changed-orders.js';
import { type Invariant, invariantOf, type Period, setIn } from './invariant.js';

const cartsSince = (period: Period) =>
  `select customer_id from cart where counted and ${setIn(period, 'updated_at')}`;

/** The invariants of orders, purchases and carts in the order subgraph's database; they hold at every commit. */
export const orderInvariants: Invariant[] = [
  invariantOf('order', 'the total of an order is the sum of its lines', {
    key: { customer_id: 'uuid', id: 'uuid' },
    changed: ordersSince,
    select: (only) => `select o.customer_id, o.id, o.total_amount,
        coalesce(sum(i.unit_price_amount * i.quantity), 0) as lines
      from customer_order o
        left join shop_order s on s.customer_id = o.customer_id and s.order_id = o.id
        left join order_item i on i.customer_id = s.customer_id and i.shop_order_id = s.id
      where ${only('o.customer_id, o.id')} group by o.customer_id, o.id`,
    holds: 'total_amount = lines and total_amount > 0',
  }),
  invariantOf('order', 'purchased units of a sku are the sum of the units that are not cancelled', {
    key: { customer_id: 'uuid', shop_id: 'uuid', sku: 'text' },
    changed: (period) => `select distinct o.customer_id, s.shop_id, i.sku
      from customer_order o join shop_order s on s.customer_id = o.customer_id and s.order_id = o.id
        join order_item i on i.customer_id = s.customer_id and i.shop_order_id = s.id
      where (o.customer_id, o.id) in (${ordersSince(period)})`,
    with: (only) => `bought as (
      select o.customer_id, s.shop_id, i.sku, sum(i.quantity - i.cancelled_quantity) as lines
      from customer_order o join shop_order s on s.customer_id = o.customer_id and s.order_id = o.id
        join order_item i on i.customer_id = s.customer_id and i.shop_order_id = s.id
      where s.status <> 'CANCELLED' and ${only('o.customer_id, s.shop_id, i.sku')}
      group by 1, 2, 3
    ), counted as (
      select customer_id, shop_id, sku, units from purchase
      where ${only('customer_id, shop_id, sku')})`,
    select: () => `select customer_id, shop_id, sku,
        coalesce(units, 0) as units, coalesce(lines, 0) as lines
      from counted full join bought using (customer_id, shop_id, sku)`,
    holds: 'units = lines',
  }),
  invariantOf('order', 'units of an offer in carts are the sum over the counted carts', {
    key: { offer_id: 'uuid', shard: 'smallint' },
    changed: (period) => `select distinct i.offer_id, c.shard
      from cart c join cart_item i on i.customer_id = c.customer_id
      where c.customer_id in (${cartsSince(period)})`,
    with: (only) => `in_carts as (
      select i.offer_id, c.shard, sum(i.quantity) as lines
      from cart c join cart_item i on i.customer_id = c.customer_id
      where c.counted and ${only('i.offer_id, c.shard')} group by 1, 2
    ), counted as (
      select offer_id, shard, units from units_in_carts where ${only('offer_id, shard')})`,
    select: () => `select offer_id, shard, coalesce(units, 0) as units, coalesce(lines, 0) as lines
      from counted full join in_carts using (offer_id, shard)`,
    holds: 'units = lines',
  }),
  invariantOf('order', 'the status of an order follows from its shop orders', {
    key: { customer_id: 'uuid', id: 'uuid' },
    changed: ordersSince,
    select: (only) => `select o.customer_id, o.id, o.status, case
        when bool_and(s.status = 'CANCELLED') then 'CANCELLED'
        when bool_or(s.status = 'PENDING') then 'PENDING'
        when bool_or(s.status = 'CONFIRMED') then 'CONFIRMED'
        when bool_or(s.status = 'SHIPPED') then 'SHIPPED'
        when bool_or(s.status = 'DELIVERED') then 'DELIVERED' end as of_shop_orders
      from customer_order o left join shop_order s on s.customer_id = o.customer_id and s.order_id = o.id
      where ${only('o.customer_id, o.id')} group by o.customer_id, o.id`,
    holds: 'status = of_shop_orders',
  }),
  invariantOf('order', 'an order whose stock was held, or that is paid for, has a number', {
    key: { customer_id: 'uuid', id: 'uuid' },
    changed: ordersSince,
    select: (only) => `select o.customer_id, o.id, o.number, o.status, o.expires_at,
        (select count(*) from payment p
          where p.customer_id = o.customer_id and p.order_id = o.id) as payments
      from customer_order o where ${only('o.customer_id, o.id')}`,
    holds: `number is not null
      or (expires_at is null and status in ('PENDING', 'CANCELLED') and payments = 0)`,
  }),
  invariantOf('order', 'a paid shop order is CANCELLED once none of its units is left', {
    key: { customer_id: 'uuid', id: 'uuid' },
    changed: shopOrdersSince,
    select: (only) => `select s.customer_id, s.id, s.status, sum(i.quantity) as quantity,
        sum(i.cancelled_quantity) as cancelled
      from shop_order s
        join order_item i on i.customer_id = s.customer_id and i.shop_order_id = s.id
      where not s.never_paid and ${only('s.customer_id, s.id')} group by s.customer_id, s.id`,
    holds: `(status = 'CANCELLED') = (cancelled = quantity)
      and (cancelled = 0 or status <> 'PENDING')`,
  }),
  invariantOf('order', 'a shop order is hidden from its shop only if its order ended unpaid', {
    key: { customer_id: 'uuid', id: 'uuid' },
    changed: shopOrdersSince,
    select: (
      only,
    ) => `select s.customer_id, s.id, s.status, s.never_paid, (select count(*) from order_event e
        where e.customer_id = s.customer_id and e.order_id = s.order_id and e.type = 'CONFIRMED') as confirmed
      from shop_order s where ${only('s.customer_id, s.id')}`,
    holds: `not never_paid or (status = 'CANCELLED' and confirmed = 0)`,
  }),
  invariantOf('order', 'every acknowledged checkout has an order, and every refusal was correct', {
    key: { user_id: 'uuid', operation: 'text', key: 'text' },
    changedWhere: (period) => setIn(period, 'k.created_at'),
    select: (only) => `select k.user_id, k.operation, k.key, k.subject_id, k.outcome,
        o.number is not null as placed
      from idempotency_key k left join customer_order o
        on o.customer_id = k.user_id and o.id = k.subject_id
      where k.operation = 'checkout' and k.outcome is not null
        and ${only('k.user_id, k.operation, k.key')}`,
    holds: `case outcome->>'kind'
      when 'placed' then placed
      when 'expired' then placed
      when 'short' then not placed
        and not jsonb_path_exists(outcome, '$.lines[*] ? (@.available >= @.requested)')
      else not placed end`,
  }),
];
