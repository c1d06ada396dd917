import { neverHeldRetention } from '../../subgraphs/order/order/never-held-orders.js';
import { ordersSince } from './changed-orders.js';
import { type Invariant, invariantOf, setIn } from './invariant.js';

/** Lines of orders. @param where a condition on `o`, `s` and `i` */
const linesWhere = (where: string) => `from customer_order o
        join shop_order s on s.customer_id = o.customer_id and s.order_id = o.id
        join order_item i on i.customer_id = s.customer_id and i.shop_order_id = s.id
      where ${where}`;

/**
 * Whether a column has a value. With the plain condition PostgreSQL would read the whole index of such rows, of which
 * it expects few, in place of looking up those of a scope.
 */
export const hasValue = (column: string) => `case when ${column} is null then false else true end`;

/** Counters of sales are pruned long after the sale; their orders stay. */
const isPruned = `units is null and last_placed_at < now() - interval '300 days'`;

/** An order whose stock was never held is deleted before its claim of a phone number. */
const mayHavePrunedOrder = `created_at < now() - interval '${neverHeldRetention.keptFor}'`;

/** The invariants of what customers hold, and buy in sales, in the order subgraph's database; they hold at every commit. */
export const saleOrderInvariants: Invariant[] = [
  invariantOf('order', 'open orders and units of a customer are those of the PENDING orders', {
    key: { customer_id: 'uuid' },
    changed: (period) => `select distinct customer_id from (${ordersSince(period)}) as changed`,
    with: (only) => `held as (
      select customer_id, open_orders, open_units from customer_hold where ${only('customer_id')}
    ), open_order as (
      select o.customer_id, count(*) as orders from customer_order o
      where o.status = 'PENDING' and ${only('o.customer_id')} group by 1
    ), open_offer as (
      select o.customer_id, i.offer_id, sum(i.quantity) as units
      ${linesWhere(`o.status = 'PENDING' and ${only('o.customer_id')}`)} group by 1, 2
    ), open_unit as (
      select customer_id, jsonb_object_agg(offer_id, units) as units from open_offer group by 1)`,
    select: () => `select customer_id, coalesce(open_orders, 0) as open_orders,
        coalesce(open_units, '{}') as open_units, coalesce(orders, 0) as orders,
        coalesce(units, '{}') as units
      from held full join open_order using (customer_id) full join open_unit using (customer_id)`,
    holds: 'open_orders = orders and open_units = units',
  }),
  invariantOf(
    'order',
    'units that a customer bought in a sale are those of orders that did not end unpaid',
    {
      key: { customer_id: 'uuid', sale_id: 'uuid', offer_id: 'uuid' },
      changed: (period) => `select distinct o.customer_id, i.sale_id, i.offer_id
      ${linesWhere(`${hasValue('i.sale_id')} and (o.customer_id, o.id) in (${ordersSince(period)})`)}`,
      with: (only) => `bought as (
      select o.customer_id, i.sale_id, i.offer_id, max(i.created_at) as last_placed_at,
        coalesce(sum(i.quantity) filter (where not s.never_paid), 0) as lines,
        count(*) filter (where o.number is not null and o.cancel_reason = 'PAYMENT_TIMEOUT') as expired
      ${linesWhere(`${hasValue('i.sale_id')} and ${only('o.customer_id, i.sale_id, i.offer_id')}`)}
      group by 1, 2, 3
    ), counted as (
      select customer_id, sale_id, offer_id, units, expired_orders from sale_purchase
      where ${only('customer_id, sale_id, offer_id')})`,
      select: () => `select customer_id, sale_id, offer_id, units, expired_orders, last_placed_at,
        coalesce(lines, 0) as lines, coalesce(expired, 0) as expired
      from counted full join bought using (customer_id, sale_id, offer_id)`,
      holds: `(coalesce(units, 0) = lines and coalesce(expired_orders, 0) = expired) or (${isPruned})`,
    },
  ),
  invariantOf(
    'order',
    'units of a sale for one address are those of orders that did not end unpaid',
    {
      key: { sale_id: 'uuid', offer_id: 'uuid', address: 'text' },
      changed: (period) => `select distinct i.sale_id, i.offer_id, o.sale_address as address
      ${linesWhere(`${hasValue('i.sale_id')} and ${hasValue('o.sale_address')}
        and (o.customer_id, o.id) in (${ordersSince(period)})`)}`,
      with: (only) => `bought as (
      select i.sale_id, i.offer_id, o.sale_address as address, max(i.created_at) as last_placed_at,
        coalesce(sum(i.quantity) filter (where not s.never_paid), 0) as lines
      ${linesWhere(`${hasValue('i.sale_id')} and ${hasValue('o.sale_address')}
        and ${only('i.sale_id, i.offer_id, o.sale_address')}`)}
      group by 1, 2, 3
    ), counted as (
      select sale_id, offer_id, address, units from sale_address
      where ${only('sale_id, offer_id, address')})`,
      select: () => `select sale_id, offer_id, address, units, last_placed_at,
        coalesce(lines, 0) as lines
      from counted full join bought using (sale_id, offer_id, address)`,
      holds: `coalesce(units, 0) = lines or (${isPruned})`,
    },
  ),
  invariantOf('order', 'a phone number of a sale is claimed by an order of its customer in it', {
    key: { sale_id: 'uuid', phone: 'text' },
    changedWhere: (period) => setIn(period, 'p.created_at'),
    select: (only) => `select p.sale_id, p.phone, p.customer_id, p.order_id, p.created_at,
        exists (select from customer_order o
          where o.customer_id = p.customer_id and o.id = p.order_id) as has_order,
        exists (select from shop_order s
            join order_item i on i.customer_id = s.customer_id and i.shop_order_id = s.id
          where s.customer_id = p.customer_id and s.order_id = p.order_id
            and i.sale_id = p.sale_id) as has_line
      from sale_phone p where ${only('p.sale_id, p.phone')}`,
    holds: `has_line or (not has_order and ${mayHavePrunedOrder})`,
  }),
];
