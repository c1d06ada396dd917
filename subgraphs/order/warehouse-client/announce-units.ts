import type { EntityManager } from '@mikro-orm/postgresql';
import type { UnitsCancelReason } from '../../contracts/cancel-reasons.js';
import { event } from '../../contracts/events.js';
import type { UnitsOfSku } from '../../contracts/stock-key.js';
import { sql } from '../../shared/database/sql.js';
import { badInput } from '../../shared/errors.js';
import { newId } from '../../shared/ids.js';
import { enqueue } from '../../shared/messaging/outbox.js';
import type { RowKey } from '../row-key.js';

/** Paid units of a shop order that were cancelled. */
interface CancelledUnits extends UnitsOfSku {
  readonly shopOrderId: string;
  readonly orderId: string;
  readonly shopId: string;
}

/** The units of a shop order that are not cancelled. */
interface LiveUnits {
  readonly shopOrderId: string;
  readonly orderId: string;
  readonly shopId: string;
  readonly lines: UnitsOfSku[];
  /** the time of the transaction, by PostgreSQL’s clock */
  readonly now: string;
}

/**
 * Has the warehouse subgraph subtract the units of a shop order that is shipped, once. Enqueued in the
 * outbox, in the transaction of `em`.
 */
export async function announceShipped(
  em: EntityManager,
  { customerId, id }: RowKey,
): Promise<void> {
  const shipped = await sql<LiveUnits>(
    em,
    `select s.id as "shopOrderId", s.order_id as "orderId", s.shop_id as "shopId", now() as now,
       (select jsonb_agg(jsonb_build_object('sku', sku, 'quantity', quantity) order by sku)
        from (select sku, sum(quantity - cancelled_quantity) as quantity from order_item
              where customer_id = s.customer_id and shop_order_id = s.id and quantity > cancelled_quantity group by sku) line) as lines
     from shop_order s where s.customer_id = $1 and s.id = $2`,
    [customerId, id],
  );
  const messages = shipped.map(({ now, ...units }) => {
    const shippedAt = new Date(now).toISOString();
    return event('order.units.shipped', { ...units, shipmentId: newId(), shippedAt });
  });
  await enqueue(em, messages);
}

export interface UnitsCancellation {
  /** decides what the warehouse subgraph does with the units */
  readonly reason: UnitsCancelReason;
  /** the variants that the reason is about; by default all */
  readonly skus?: readonly string[] | null | undefined;
}

/**
 * Has the warehouse subgraph cancel paid units, once. Enqueued in the outbox, in the transaction of `em`.
 *
 * @throws `BAD_USER_INPUT` for a variant that none of the units is of
 */
export async function announceCancelled(
  em: EntityManager,
  cancelled: readonly CancelledUnits[],
  { reason, skus }: UnitsCancellation,
): Promise<void> {
  const known = new Set(cancelled.map(({ sku }) => sku));
  const unknown = skus?.findIndex((sku) => !known.has(sku)) ?? -1;
  if (unknown >= 0) {
    const problem = `no unit of ${skus?.[unknown]} is cancelled`;
    throw badInput({ [`input.skus[${unknown}]`]: problem });
  }
  const isMeant = ({ sku }: CancelledUnits) => !skus || skus.includes(sku);
  const groups = Map.groupBy(cancelled, (units) => `${units.shopOrderId} ${isMeant(units)}`);
  const messages = [...groups.values()].map((units) => {
    const [first] = units as [CancelledUnits];
    const { shopOrderId, orderId, shopId } = first;
    return event('order.units.cancelled', {
      ...{ shopOrderId, orderId, shopId, cancellationId: newId() },
      reason: isMeant(first) ? reason : 'OTHER',
      lines: unitsOfSkus(units),
    });
  });
  await enqueue(em, messages);
}

function unitsOfSkus(units: readonly CancelledUnits[]): UnitsOfSku[] {
  const bySku = [...Map.groupBy(units, ({ sku }) => sku)];
  return bySku.map(([sku, lines]) => {
    return { sku, quantity: lines.reduce((sum, { quantity }) => sum + quantity, 0) };
  });
}
