import { Migration } from '@mikro-orm/migrations';

const noRelease =
  '/* safe: no release has been made, so no earlier version runs beside this one */';

/** The units of a shop order as the payloads of the events have them. */
const linesSql = `(select jsonb_agg(jsonb_build_object('sku', sku, 'quantity', quantity))
  from (select sku, sum(quantity) as quantity from order_item
        where shop_order_id = s.id group by sku) line)`;

/**
 * The warehouse subgraph keeps paid units on hand until it learns that they are shipped. It gets an event
 * for each shop order that was shipped before; returns that were not sent yet become cancellations.
 */
export class Migration20261127ShippedUnits extends Migration {
  override up(): void {
    this.addSql(`insert into outbox (id, consumer, topic, key, version, payload)
      select event.id, 'warehouse', 'order.units.shipped', s.id::text, 1,
        jsonb_build_object('shipmentId', event.id, 'shopOrderId', s.id, 'orderId', s.order_id,
          'shopId', s.shop_id, 'shippedAt',
          to_char(s.updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
          'lines', ${linesSql})
      from shop_order s cross join lateral (select gen_random_uuid() as id where s.id is not null) event
      where s.status in ('SHIPPED', 'DELIVERED')`);
    this.addSql(`update outbox o ${noRelease}
      set topic = 'order.units.cancelled', key = s.id::text,
        payload = jsonb_build_object('cancellationId', o.id, 'shopOrderId', s.id,
          'orderId', s.order_id, 'shopId', s.shop_id,
          'reason', case o.payload->>'reason' when 'PAYMENT_FAILED' then 'PAYMENT_FAILED'
            when 'BY_CUSTOMER' then 'CUSTOMER_REQUEST' else 'OTHER' end,
          'lines', ${linesSql})
      from shop_order s
      where o.topic = 'order.stock.returned' and o.sent_at is null
        and s.order_id::text = o.payload->>'orderId' and s.shop_id::text = o.payload->>'shopId'`);
  }
}
