import { madeIn, type Period } from './invariant.js';
import { levelsSince } from './ledger-invariants.js';

/** Types of movements whose reference is an order. */
export const orderTypes = `('RESERVATION', 'RELEASE', 'COMMIT', 'UNCOMMIT', 'SHIPMENT')`;

/** SQL for the ids of orders with movements since, and of new reservations. */
export const reservedOrdersSince = (period: Period) => `select distinct case
      when pg_input_is_valid(reference, 'uuid') then reference::uuid end as order_id
    from stock_movement where ${madeIn(period, 'id')} and type in ${orderTypes} and reference is not null
    union select order_id from reservation where ${madeIn(period, 'order_id')}`;

/** SQL for the items whose units may have changed, or whether they are in stock. */
export const itemsSince = (period: Period) => `select shop_id, sku from stock_level
      where (shop_id, id) in (${levelsSince(period)})
    union select l.shop_id, l.sku from warehouse_event e join stock_level l using (shop_id, warehouse_id)
      where ${madeIn(period, 'e.id')}
    union select case when pg_input_is_valid(payload->>'shopId', 'uuid')
        then (payload->>'shopId')::uuid end, payload->>'sku'
      from outbox where ${madeIn(period, 'id')} and topic = 'warehouse.stock.changed'`;
