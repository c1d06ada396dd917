import { type NamedParameters, namedParameters } from '../../shared/database/named-parameters.js';
import { storedSaleSql } from '../cart/cart.js';
import { holdLimit } from '../hold-limit/count-holds.js';
import type { PlacingLimit, RowColumns } from '../placing-limit.js';
import { purchaseLimit } from '../purchase-limit/count-purchases.js';
import { addressLimit, phoneLimit, saleUnitLimit } from '../sale-limit/count-sale-units.js';
import { admissionLimit } from '../sale-queue/admission/passes.js';
import { orderColumns } from './new-order.js';

type Rows = Readonly<Record<string, readonly object[]>>;
type Sets = Readonly<Record<string, RowColumns>>;

/** All limits, in the order in which their counters are locked (locks.ts). */
const allLimits: readonly PlacingLimit[] = [
  holdLimit,
  purchaseLimit,
  admissionLimit,
  saleUnitLimit,
  addressLimit,
  phoneLimit,
];

/** SQL for those of some rows whose order is placed. */
const ofPlaced = (rows: string) => `
    select * from ${rows} where order_id in (select order_id from placed_hold)`;

function placingText(limits: readonly PlacingLimit[], sql: Readonly<Record<string, string>>) {
  // The first one is that of `holdLimit`, which all orders have.
  const sets = Object.keys(setsOf(limits));
  const locks = limits.map(({ lock }, n) => lock(limits[n - 1]?.locked ?? ''));
  const isAdmitted = limits.includes(admissionLimit);
  return `
  with ${sets.map((name) => `${name} as materialized (select * from ${sql[name]})`).join(', ')},
  ${locks.join(', ')}, violation as materialized (
    ${limits.map(({ violations }) => violations).join(' union all ')}
  ), placed_hold as materialized (
    select * from hold where order_id not in (select order_id from violation)
  ), ${sets
    .slice(1)
    .map((name) => `placed_${name} as materialized (${ofPlaced(name)})`)
    .join(', ')},
  ${limits.map(({ count }) => count).join(', ')}, new_order as materialized (
    select * from ${sql.new_order} where id in (select order_id from placed_hold)
  ), new_item as materialized (${ofPlaced(sql.new_item as string)}
  ), orders as (
    insert into customer_order (customer_id, id, total_amount, currency_code, shipping_address,
      reserve_for_ms, sale_address)
    select customer_id, id, total_amount, currency_code, shipping_address, reserve_for_ms, sale_address
    from new_order
  ), shop_orders as (
    insert into shop_order (customer_id, id, order_id, shop_id)
    select customer_id, id, order_id, shop_id from (${ofPlaced(sql.new_shop_order as string)}) as n
  ), history as (
    insert into order_event (customer_id, id, order_id, type, actor)
    select customer_id, event_id, id, 'PLACED', customer_id::text from new_order
  ), items as (
    insert into order_item
      (customer_id, id, shop_order_id, offer_id, sku, name, unit_price_amount, currency_code,
       quantity, sale_id, decided_at${isAdmitted ? ', admitted_at, admission_ends_at' : ''})
    select i.customer_id, i.id, shop_order_id, offer_id, sku, name, unit_price_amount,
      currency_code, quantity, i.sale_id, decided_at${isAdmitted ? ', t.admitted_at, t.ends_at' : ''}
    from new_item i join new_order o on o.id = i.order_id${
      isAdmitted
        ? `
      left join locked_ticket t on t.customer_id = i.customer_id and t.sale_id = i.sale_id`
        : ''
    }
  )
  select id as "orderId", exists (
      select from new_item i join cart_item c on c.customer_id = i.customer_id
        and c.offer_id = i.offer_id and c.sale_id = ${storedSaleSql('i.sale_id')}
      where i.order_id = new_order.id) as "inCart",
    null as kind, null as "offerId", null as "saleId", null as counted, null as "limit"
  from new_order
  union all
  select order_id, null, kind, offer_id, sale_id, counted, max_count from violation`;
}

const setsOf = (limits: readonly PlacingLimit[]): Sets =>
  Object.assign({}, ...limits.map(({ rows }) => rows));

interface PlacingStatement {
  readonly text: string;
  readonly parameters: NamedParameters<Sets>;
}

const statements = new Map<string, PlacingStatement>();

/**
 * The statement that places orders with their shop orders, lines and histories, where no limit would be exceeded, and
 * counts what they hold and buy. It has only the limits that some of the orders have: each costs PostgreSQL time, also
 * without a row. It locks the counters of all orders first. A counter that others created since the statement began
 * cannot be locked: then it fails at the key of the counter.
 *
 * Returns a row for each order that is placed, and one for each limit that another one exceeds.
 *
 * @param rows those of `orderColumns` and of all limits
 */
export function placingStatement(rows: Rows): { text: string; values: unknown[] } {
  const isNeeded = (name: string) => (rows[name]?.length ?? 0) > 0;
  const limits = allLimits.filter((limit) => Object.keys(limit.rows).some(isNeeded));
  const key = limits.map(({ locked }) => locked).join(' ');
  let statement = statements.get(key);
  if (!statement) {
    const parameters = namedParameters<Sets>({ ...orderColumns, ...setsOf(limits) });
    statement = { text: placingText(limits, parameters.sql), parameters };
    statements.set(key, statement);
  }
  return { text: statement.text, values: statement.parameters.values(rows as never) };
}

/** The keys of counters, at which a placing statement fails if others created one since it began. */
export const counterKeys = [
  'customer_hold_pkey',
  'purchase_pkey',
  'sale_purchase_pkey',
  'sale_address_pkey',
  'sale_phone_pkey',
] as const;
