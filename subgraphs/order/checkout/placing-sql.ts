import { namedParameters } from '../../shared/database/named-parameters.js';
import { storedSaleSql } from '../cart/cart.js';
import { lowerHoldsCtes, raiseHoldsSql } from '../hold-limit/count-holds.js';
import {
  countPurchasesSql,
  purchaseColumns,
  subtractPurchasesCtes,
} from '../purchase-limit/count-purchases.js';
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

const countParameters = namedParameters({ hold: holdColumns, purchase_line: purchaseColumns });
const countSaleParameters = namedParameters({
  hold: holdColumns,
  purchase_line: purchaseColumns,
  ...saleRows,
});

const raiseCtes = (hold: string, purchaseLine: string) => `
  raised_hold as (${raiseHoldsSql(hold)}),
  raised_purchase as (
    ${countPurchasesSql(`(select l.* from ${purchaseLine}
        where (select count(*) from raised_hold) >= 0) as line`)}
    returning 1
  )`;

/**
 * Raises all counters of some orders, before it is decided whether they may be placed, and so locks them: first those
 * of what customers hold, then purchases, then sales. The next statement sees what they are under the locks.
 */
export const countSql = {
  parameters: countParameters,
  text: `with ${raiseCtes(countParameters.sql.hold, lineOf(countParameters.sql.purchase_line))} select`,
};
export const countWithSalesSql = {
  parameters: countSaleParameters,
  text: `with ${raiseCtes(countSaleParameters.sql.hold, lineOf(countSaleParameters.sql.purchase_line))},
    ${raiseSaleUnitsCtes(countSaleParameters.sql.sale_unit, countSaleParameters.sql.sale_phone_claim, 'raised_purchase')}
    select`,
};

function lineOf(rows: string): string {
  return `(select * from ${rows}) as l`;
}

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

const decideRows = {
  ...orderColumns,
  hold: holdColumns,
  offer_unit: offerUnitColumns,
  open_orders_max: 'int',
} as const;
const decideParameters = namedParameters(decideRows);
const decideSaleParameters = namedParameters({ ...decideRows, ...saleRows });

/** Why an order may not be placed: each is a `kind` of `Violation`. */
const violationsSql = (openOrdersMax: string) => `
  select n.id as order_id, 'OPEN_ORDERS' as kind, null::uuid as offer_id, null::uuid as sale_id,
    h.open_orders - 1 as counted, ${openOrdersMax} as max_count
  from new_order n join customer_hold h on h.customer_id = n.customer_id
  where h.open_orders > ${openOrdersMax}
  union all
  select u.order_id, 'OPEN_UNITS', u.offer_id, null,
    (h.open_units->>u.offer_id::text)::int - u.quantity, u.hold_limit
  from offer_unit u join customer_hold h on h.customer_id = u.customer_id
  where (h.open_units->>u.offer_id::text)::int > u.hold_limit
  union all
  select u.order_id, 'PURCHASES', u.offer_id, null, (p.units - u.quantity)::int, u.purchase_limit
  from offer_unit u join purchase p
    on p.customer_id = u.customer_id and p.shop_id = u.shop_id and p.sku = u.sku
  where p.units > u.purchase_limit`;

const saleViolationsSql = `
  union all
  select u.order_id, 'SALE_PURCHASES', u.offer_id, u.sale_id, p.units - u.quantity, u.limit_per_customer
  from sale_unit u join sale_purchase p
    on p.customer_id = u.customer_id and p.sale_id = u.sale_id and p.offer_id = u.offer_id
  where p.units > u.limit_per_customer
  union all
  select u.order_id, 'EXPIRED_ORDERS', u.offer_id, u.sale_id, p.expired_orders, ${expiredOrdersMax}
  from sale_unit u join sale_purchase p
    on p.customer_id = u.customer_id and p.sale_id = u.sale_id and p.offer_id = u.offer_id
  where p.expired_orders >= ${expiredOrdersMax}
  union all
  select u.order_id, 'ADDRESS', u.offer_id, u.sale_id, a.units - u.quantity, u.address_limit
  from sale_unit u join sale_address a
    on a.sale_id = u.sale_id and a.offer_id = u.offer_id and a.address = u.address
  where a.units > u.address_limit
  union all
  select c.order_id, 'PHONE', null, c.sale_id, 1, 1
  from sale_phone_claim c join sale_phone p on p.sale_id = c.sale_id and p.phone = c.phone
  where p.customer_id <> c.customer_id`;

/** What refused orders had counted is subtracted again. */
const undoCtes = `
  refused as materialized (
    select n.customer_id, n.id from new_order n where not exists (select from accepted a where a.id = n.id)
  ), ${lowerHoldsCtes(`select h.customer_id, 1 as orders, h.units
      from hold h join refused r on r.id = h.order_id`)},
  ${subtractPurchasesCtes(`select u.customer_id, u.shop_id, u.sku, sum(u.quantity) as units
      from offer_unit u join refused r on r.id = u.order_id
      where (select count(*) from locked_hold) >= 0 group by 1, 2, 3`)}`;
const undoSaleCtes = `, ${lowerSaleUnitsCtes(
  `select u.customer_id, u.sale_id, u.offer_id, u.address, u.quantity, 0 as expired
    from sale_unit u join refused r on r.id = u.order_id`,
  'locked',
)}, freed_phone as (
    delete from sale_phone p using sale_phone_claim c join refused r on r.id = c.order_id
    where p.sale_id = c.sale_id and p.phone = c.phone and p.order_id = c.order_id
  )`;

const decideText = (
  sql: typeof decideParameters.sql,
  saleCtes?: typeof decideSaleParameters.sql,
) => `
  with new_order as materialized (
    select * from ${sql.new_order}
  ), new_item as materialized (
    select * from ${sql.new_item}
  ), hold as materialized (
    select * from ${sql.hold}
  ), offer_unit as materialized (
    select * from ${sql.offer_unit}
  )${
    saleCtes
      ? `, sale_unit as materialized (
    select * from ${saleCtes.sale_unit}
  ), sale_phone_claim as materialized (
    select * from ${saleCtes.sale_phone_claim}
  )`
      : ''
  }, existing as materialized (
    select n.id from new_order n
    where exists (select from customer_order o where o.customer_id = n.customer_id and o.id = n.id)
  ), violation as materialized (
    ${violationsSql(sql.open_orders_max)}${saleCtes ? saleViolationsSql : ''}
  ), accepted as materialized (
    select * from new_order n
    where not exists (select from existing e where e.id = n.id)
      and not exists (select from violation v where v.order_id = n.id)
  ), orders as (
    insert into customer_order (customer_id, id, total_amount, currency_code, shipping_address,
      reserve_for_ms, sale_address)
    select customer_id, id, total_amount, currency_code, shipping_address, reserve_for_ms, sale_address
    from accepted
  ), shop_orders as (
    insert into shop_order (customer_id, id, order_id, shop_id)
    select s.customer_id, s.id, s.order_id, s.shop_id
    from (select * from ${sql.new_shop_order}) s join accepted a on a.id = s.order_id
  ), history as (
    insert into order_event (customer_id, id, order_id, type, actor)
    select customer_id, event_id, id, 'PLACED', customer_id::text from accepted
  ), items as (
    insert into order_item
      (customer_id, id, shop_order_id, offer_id, sku, name, unit_price_amount, currency_code,
       quantity, sale_id, decided_at)
    select i.customer_id, i.id, shop_order_id, offer_id, sku, name, unit_price_amount,
      currency_code, quantity, sale_id, decided_at
    from new_item i join accepted a on a.id = i.order_id
  ), ${undoCtes}${saleCtes ? undoSaleCtes : ''}
  select id, exists (select from existing e where e.id = n.id) as "exists",
    exists (
      select from new_item i join cart_item c on c.customer_id = i.customer_id
        and c.offer_id = i.offer_id and c.sale_id = ${storedSaleSql('i.sale_id')}
      where i.order_id = n.id) as "inCart",
    (select jsonb_agg(jsonb_build_object('kind', kind, 'offerId', offer_id, 'saleId', sale_id,
        'counted', counted, 'limit', max_count)) from violation v where v.order_id = n.id) as violations
  from new_order n`;

/** Decides on orders whose counters were raised, inserts those that may be placed, and subtracts what others had counted. */
export const decideSql = {
  parameters: decideParameters,
  text: decideText(decideParameters.sql),
};
export const decideWithSalesSql = {
  parameters: decideSaleParameters,
  text: decideText(decideSaleParameters.sql, decideSaleParameters.sql),
};
