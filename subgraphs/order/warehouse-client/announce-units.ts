import type { EntityManager } from '@mikro-orm/postgresql';
import type { UnitsCancelReason } from '../../contracts/cancel-reasons.js';
import { event } from '../../contracts/events.js';
import type { UnitsOfSku } from '../../contracts/stock-key.js';
import { sql } from '../../shared/database/sql.js';
import { badInput } from '../../shared/errors.js';
import { newId } from '../../shared/ids.js';
import { enqueue } from '../../shared/messaging/outbox.js';

/** The units of a shop order. */
interface ShopOrderUnits {
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
export async function announceShipped(em: EntityManager, shopOrderId: string): Promise<void> {
  const shipped = await readUnits(em, [shopOrderId]);
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
 * Has the warehouse subgraph cancel the paid units of shop orders, once. Enqueued in the outbox, in the
 * transaction of `em`.
 *
 * @throws `BAD_USER_INPUT` for a variant that is in none of the shop orders
 */
export async function announceCancelled(
  em: EntityManager,
  shopOrderIds: readonly string[],
  { reason, skus }: UnitsCancellation,
): Promise<void> {
  const cancelled = await readUnits(em, shopOrderIds);
  const known = new Set(cancelled.flatMap(({ lines }) => lines.map(({ sku }) => sku)));
  const unknown = skus?.findIndex((sku) => !known.has(sku)) ?? -1;
  if (unknown >= 0) {
    throw badInput({ [`input.skus[${unknown}]`]: `${skus?.[unknown]} is not in the shop order` });
  }
  const isMeant = (sku: string) => !skus || skus.includes(sku);
  const messages = cancelled.flatMap(({ now: _, lines, ...units }) => {
    const parts = [
      { reason, lines: lines.filter(({ sku }) => isMeant(sku)) },
      { reason: 'OTHER' as const, lines: lines.filter(({ sku }) => !isMeant(sku)) },
    ];
    return parts
      .filter((part) => part.lines.length > 0)
      .map((part) =>
        event('order.units.cancelled', { ...units, ...part, cancellationId: newId() }),
      );
  });
  await enqueue(em, messages);
}

function readUnits(em: EntityManager, shopOrderIds: readonly string[]): Promise<ShopOrderUnits[]> {
  return sql<ShopOrderUnits>(
    em,
    `select s.id as "shopOrderId", s.order_id as "orderId", s.shop_id as "shopId", now() as now,
       (select jsonb_agg(jsonb_build_object('sku', sku, 'quantity', quantity) order by sku)
        from (select sku, sum(quantity) as quantity from order_item
              where shop_order_id = s.id group by sku) line) as lines
     from shop_order s where s.id = any($1::uuid[]) order by s.id`,
    [shopOrderIds],
  );
}
