import { namedParameters } from '../../shared/database/named-parameters.js';
import { storedSaleSql } from '../cart/cart.js';
import { lockedCounters, raisedCounters } from '../counters.js';
import { lockedHolds, raiseHoldsCtes } from '../hold-limit/count-holds.js';
import { purchases } from '../purchase-limit/count-purchases.js';
import {
  expiredOrdersMax,
  lockedSaleUnits,
  raiseSaleUnitsCtes,
  salePhoneColumns,
  saleUnitColumns,
} from '../sale-limit/count-sale-units.js';
import {
  lockedTickets,
  notAdmittedSql,
  passColumns,
  useTicketsCte,
} from '../sale-queue/admission/passes.js';
import { orderColumns } from './new-order.js';

/** Columns of what an order holds. */
const holdColumns = { customer_id: 'uuid', order_id: 'uuid', units: 'jsonb' } as const;

/** Columns of the units of one offer in an order, in its regular and its sale lines, and of its limits. */
const offerUnitColumns = {
  customer_id: 'uuid',
  order_id: 'uuid',
  shop_id: 'uuid',
  sku: 'text',
  offer_id: 'uuid',
  quantity: 'int',
  hold_limit: 'int',
  purchase_limit: 'int',
} as const;

const placeRows = {
  ...orderColumns,
  hold: holdColumns,
  offer_unit: offerUnitColumns,
  open_orders_max: 'int',
} as const;
const saleRows = {
  sale_unit: saleUnitColumns,
  sale_phone_claim: salePhoneColumns,
  sale_pass: passColumns,
} as const;
const placeParameters = namedParameters(placeRows);
const placeSaleParameters = namedParameters({ ...placeRows, ...saleRows });

/** Why an order may not be placed: each is a `kind` of `Violation`. */
const violationsSql = (openOrdersMax: string) => `
  select n.order_id, 'OPEN_ORDERS' as kind, null::uuid as offer_id, null::uuid as sale_id,
    h.open_orders as counted, ${openOrdersMax} as max_count
  from hold n join locked_hold h using (customer_id)
  where h.open_orders >= ${openOrdersMax}
  union all
  select order_id, 'OPEN_UNITS', offer_id, null, counted, hold_limit
  from (
    select u.*, coalesce((h.open_units->>u.offer_id::text)::int, 0) as counted
    from offer_unit u left join locked_hold h using (customer_id)) u
  where counted + quantity > hold_limit
  union all
  select order_id, 'PURCHASES', offer_id, null, coalesce(units, 0)::int, purchase_limit
  from offer_unit left join locked_purchase using (customer_id, shop_id, sku)
  where coalesce(units, 0) + quantity > purchase_limit`;

const saleViolationsSql = `
  union all
  select order_id, 'SALE_PURCHASES', offer_id, sale_id, coalesce(units, 0), limit_per_customer
  from sale_unit left join locked_sale_purchase using (customer_id, sale_id, offer_id)
  where coalesce(units, 0) + quantity > limit_per_customer
  union all
  select order_id, 'EXPIRED_ORDERS', offer_id, sale_id, expired_orders, ${expiredOrdersMax}
  from sale_unit join locked_sale_purchase using (customer_id, sale_id, offer_id)
  where expired_orders >= ${expiredOrdersMax} and not is_queued
  union all
  select order_id, 'ADDRESS', offer_id, sale_id, coalesce(units, 0), address_limit
  from sale_unit left join locked_sale_address using (sale_id, offer_id, address)
  where coalesce(units, 0) + quantity > address_limit and address is not null
  union all
  select c.order_id, 'PHONE', null, c.sale_id, 1, 1
  from sale_phone_claim c join locked_phone p using (sale_id, phone)
  where p.customer_id <> c.customer_id
  union all
  ${notAdmittedSql('sale_pass')}`;

/** SQL for those of some rows whose order is placed. */
const ofPlaced = (rows: string) => `
    select * from ${rows} where order_id in (select order_id from placed)`;

const placeText = (sql: typeof placeParameters.sql, sales?: typeof placeSaleParameters.sql) => `
  with hold as materialized (select * from ${sql.hold}),
  offer_unit as materialized (select * from ${sql.offer_unit}),
  ${lockedHolds('hold')},
  ${lockedCounters(purchases, 'offer_unit', 'locked_hold')},${
    sales
      ? `
  sale_unit as materialized (select * from ${sales.sale_unit}),
  sale_phone_claim as materialized (select * from ${sales.sale_phone_claim}),
  sale_pass as materialized (select * from ${sales.sale_pass}),
  ${lockedTickets('sale_pass', 'locked_purchase')},
  ${lockedSaleUnits('sale_unit', 'sale_phone_claim', 'locked_ticket')},`
      : ''
  }
  violation as materialized (${violationsSql(sql.open_orders_max)}${sales ? saleViolationsSql : ''}),
  placed as materialized (
    select * from hold where order_id not in (select order_id from violation)
  ), placed_unit as materialized (${ofPlaced('offer_unit')}
  ), ${raiseHoldsCtes('placed')},
  ${raisedCounters(purchases, 'select * from placed_unit')},${
    sales
      ? `
  placed_sale_unit as materialized (${ofPlaced('sale_unit')}
  ), placed_phone as materialized (${ofPlaced('sale_phone_claim')}
  ), placed_pass as materialized (${ofPlaced('sale_pass')}
  ), ${raiseSaleUnitsCtes('placed_sale_unit', 'placed_phone')},
  ${useTicketsCte('placed_pass')},`
      : ''
  }
  new_order as materialized (
    select * from ${sql.new_order} where id in (select order_id from placed)
  ), new_item as materialized (${ofPlaced(sql.new_item)}
  ), orders as (
    insert into customer_order (customer_id, id, total_amount, currency_code, shipping_address,
      reserve_for_ms, sale_address)
    select customer_id, id, total_amount, currency_code, shipping_address, reserve_for_ms, sale_address
    from new_order
  ), shop_orders as (
    insert into shop_order (customer_id, id, order_id, shop_id)
    select customer_id, id, order_id, shop_id from (${ofPlaced(sql.new_shop_order)}) as n
  ), history as (
    insert into order_event (customer_id, id, order_id, type, actor)
    select customer_id, event_id, id, 'PLACED', customer_id::text from new_order
  ), items as (
    insert into order_item
      (customer_id, id, shop_order_id, offer_id, sku, name, unit_price_amount, currency_code,
       quantity, sale_id, decided_at${sales ? ', admitted_at, admission_ends_at' : ''})
    select i.customer_id, i.id, shop_order_id, offer_id, sku, name, unit_price_amount,
      currency_code, quantity, i.sale_id, decided_at${sales ? ', t.admitted_at, t.ends_at' : ''}
    from new_item i join new_order o on o.id = i.order_id${
      sales
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

/**
 * Places orders with their shop orders, lines and histories, where no limit would be exceeded, and counts what they
 * hold and buy. It locks the counters of all of them first: what customers hold, then purchases, then tickets of
 * queues, then sales. A counter that others created since the statement began cannot be locked: then the statement
 * fails at the key of the counter.
 *
 * Returns a row for each order that is placed, and one for each limit that another one exceeds.
 */
export const placeSql = { parameters: placeParameters, text: placeText(placeParameters.sql) };
export const placeWithSalesSql = {
  parameters: placeSaleParameters,
  text: placeText(placeSaleParameters.sql, placeSaleParameters.sql),
};

/** The keys of counters, at which a placing statement fails if others created one since it began. */
export const counterKeys = [
  'customer_hold_pkey',
  'purchase_pkey',
  'sale_purchase_pkey',
  'sale_address_pkey',
  'sale_phone_pkey',
] as const;
