import { namedParameters } from '../../shared/database/named-parameters.js';
import { storedSaleSql } from '../cart/cart.js';
import { lowerHoldsCtes, raiseHoldsSql } from '../hold-limit/count-holds.js';
import { countPurchasesSql, subtractPurchasesCtes } from '../purchase-limit/count-purchases.js';
import {
  expiredOrdersMax,
  lowerSaleUnitsCtes,
  raiseSaleUnitsCtes,
  salePhoneColumns,
  saleUnitColumns,
} from '../sale-limit/count-sale-units.js';
import { orderColumns } from './new-order.js';

const holdColumns = { customer_id: 'uuid', order_id: 'uuid', units: 'jsonb' } as const;
const saleRows = { sale_unit: saleUnitColumns, sale_phone_claim: salePhoneColumns } as const;

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

const countRows = {
  hold: holdColumns,
  offer_unit: offerUnitColumns,
  open_orders_max: 'int',
} as const;
const countParameters = namedParameters(countRows);
const countSaleParameters = namedParameters({ ...countRows, ...saleRows });

/** Why an order may not be placed: each is a `kind` of `Violation`. */
const violationsSql = (openOrdersMax: string) => `
  select n.order_id, 'OPEN_ORDERS' as kind, null::uuid as offer_id, null::uuid as sale_id,
    h.open_orders - 1 as counted, ${openOrdersMax} as max_count
  from hold n join raised_hold h using (customer_id)
  where h.open_orders > ${openOrdersMax}
  union all
  select u.order_id, 'OPEN_UNITS', u.offer_id, null,
    (h.open_units->>u.offer_id::text)::int - u.quantity, u.hold_limit
  from offer_unit u join raised_hold h using (customer_id)
  where (h.open_units->>u.offer_id::text)::int > u.hold_limit
  union all
  select u.order_id, 'PURCHASES', u.offer_id, null, (p.units - u.quantity)::int, u.purchase_limit
  from offer_unit u join raised_purchase p using (customer_id, shop_id, sku)
  where p.units > u.purchase_limit`;

const saleViolationsSql = `
  union all
  select u.order_id, 'SALE_PURCHASES', u.offer_id, u.sale_id, p.units - u.quantity, u.limit_per_customer
  from sale_unit u join raised_sale_purchase p using (customer_id, sale_id, offer_id)
  where p.units > u.limit_per_customer
  union all
  select u.order_id, 'EXPIRED_ORDERS', u.offer_id, u.sale_id, p.expired_orders, ${expiredOrdersMax}
  from sale_unit u join raised_sale_purchase p using (customer_id, sale_id, offer_id)
  where p.expired_orders >= ${expiredOrdersMax}
  union all
  select u.order_id, 'ADDRESS', u.offer_id, u.sale_id, a.units - u.quantity, u.address_limit
  from sale_unit u join raised_sale_address a using (sale_id, offer_id, address)
  where a.units > u.address_limit
  union all
  select c.order_id, 'PHONE', null, c.sale_id, 1, 1
  from sale_phone_claim c join claimed_phone p using (sale_id, phone)
  where p.customer_id <> c.customer_id`;

const countText = (sql: typeof countParameters.sql, sales?: typeof countSaleParameters.sql) => `
  with hold as materialized (
    select * from ${sql.hold}
  ), offer_unit as materialized (
    select * from ${sql.offer_unit}
  ), raised_hold as (${raiseHoldsSql('hold')}
  ), raised_purchase as (
    ${countPurchasesSql('(select u.* from offer_unit u where (select count(*) from raised_hold) >= 0) as line')}
    returning customer_id, shop_id, sku, units
  )${
    sales
      ? `, sale_phone_claim as materialized (
    select * from ${sales.sale_phone_claim}
  ), ${raiseSaleUnitsCtes(sales.sale_unit, 'sale_phone_claim', 'raised_purchase')}`
      : ''
  }
  select order_id as "orderId", kind, offer_id as "offerId", sale_id as "saleId", counted, max_count as "limit"
  from (${violationsSql(sql.open_orders_max)}${sales ? saleViolationsSql : ''}) violation`;

/**
 * Raises all counters of some orders, before it is decided whether they may be placed, and so locks them: first those
 * of what customers hold, then purchases, then sales. Returns the limits that are exceeded then.
 */
export const countSql = { parameters: countParameters, text: countText(countParameters.sql) };
export const countWithSalesSql = {
  parameters: countSaleParameters,
  text: countText(countSaleParameters.sql, countSaleParameters.sql),
};

const undoRows = { hold: holdColumns, offer_unit: offerUnitColumns } as const;
const undoParameters = namedParameters(undoRows);
const undoSaleParameters = namedParameters({ ...undoRows, ...saleRows });

const undoText = (sql: typeof undoParameters.sql, sales?: typeof undoSaleParameters.sql) => `
  with ${lowerHoldsCtes(`select customer_id, 1 as orders, units from ${sql.hold}`)},
  ${subtractPurchasesCtes(`select customer_id, shop_id, sku, sum(quantity) as units
      from ${sql.offer_unit} where (select count(*) from locked_hold) >= 0 group by 1, 2, 3`)}${
    sales
      ? `, ${lowerSaleUnitsCtes(
          `select customer_id, sale_id, offer_id, address, quantity, 0 as expired
               from ${sales.sale_unit}`,
          'locked',
        )}, freed_phone as (
    delete from sale_phone p using ${sales.sale_phone_claim}
    where p.sale_id = sale_phone_claim.sale_id and p.phone = sale_phone_claim.phone
      and p.order_id = sale_phone_claim.order_id and not exists (
        select from customer_order o where o.customer_id = p.customer_id and o.id = p.order_id)
  )`
      : ''
  }
  select`;

/** Subtracts what refused orders had counted. */
export const undoSql = { parameters: undoParameters, text: undoText(undoParameters.sql) };
export const undoWithSalesSql = {
  parameters: undoSaleParameters,
  text: undoText(undoSaleParameters.sql, undoSaleParameters.sql),
};

const insertParameters = namedParameters(orderColumns);
const insertText = (sql: typeof insertParameters.sql) => `
  with new_order as (
    select * from ${sql.new_order}
  ), new_item as (
    select * from ${sql.new_item}
  ), orders as (
    insert into customer_order (customer_id, id, total_amount, currency_code, shipping_address,
      reserve_for_ms, sale_address)
    select customer_id, id, total_amount, currency_code, shipping_address, reserve_for_ms, sale_address
    from new_order
  ), shop_orders as (
    insert into shop_order (customer_id, id, order_id, shop_id)
    select customer_id, id, order_id, shop_id from ${sql.new_shop_order}
  ), history as (
    insert into order_event (customer_id, id, order_id, type, actor)
    select customer_id, event_id, id, 'PLACED', customer_id::text from new_order
  ), items as (
    insert into order_item
      (customer_id, id, shop_order_id, offer_id, sku, name, unit_price_amount, currency_code,
       quantity, sale_id, decided_at)
    select i.customer_id, i.id, shop_order_id, offer_id, sku, name, unit_price_amount,
      currency_code, quantity, sale_id, decided_at
    from new_item i join new_order o on o.id = i.order_id
  )
  select id, exists (
      select from new_item i join cart_item c on c.customer_id = i.customer_id
        and c.offer_id = i.offer_id and c.sale_id = ${storedSaleSql('i.sale_id')}
      where i.order_id = new_order.id) as "inCart"
  from new_order`;

/** Inserts orders with their shop orders, lines and histories. */
export const insertSql = { parameters: insertParameters, text: insertText(insertParameters.sql) };
