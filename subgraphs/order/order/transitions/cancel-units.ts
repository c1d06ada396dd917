import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../../shared/database/sql.js';
import { badInput } from '../../../shared/errors.js';
import type { RowKey } from '../../row-key.js';
import { findLines, type ShopOrderLineInput } from '../shop-order-line-input.js';

/** Units of a line that were cancelled. */
export interface CancelledUnits {
  readonly itemId: string;
  readonly shopOrderId: string;
  readonly orderId: string;
  readonly shopId: string;
  readonly sku: string;
  readonly unitPrice: string;
  /** the units that were cancelled now */
  readonly quantity: number;
  /** all cancelled units of the line */
  readonly cancelled: number;
}

type Line = Omit<CancelledUnits, 'quantity'> & { readonly ordered: number };

/**
 * Cancels all units of shop orders of one order that are not cancelled yet. They were committed to a payment.
 * In a transaction that holds the lock of the order (`lockOrder`).
 */
export async function cancelAllUnits(
  em: EntityManager,
  customerId: string,
  shopOrderIds: readonly string[],
): Promise<CancelledUnits[]> {
  const lines = await readLines(em, customerId, shopOrderIds);
  const live = lines.filter(({ ordered, cancelled }) => ordered > cancelled);
  return cancel(
    em,
    customerId,
    live.map((line) => ({ line, quantity: line.ordered - line.cancelled })),
  );
}

/**
 * Cancels units of some lines of a shop order, as `cancelAllUnits`.
 *
 * @returns these units, and the number of units of the shop order that are left
 * @throws `BAD_USER_INPUT` for a line that is not in the shop order or is named twice, or more units of it
 *   than are left
 */
export async function cancelUnits(
  em: EntityManager,
  { customerId, id: shopOrderId }: RowKey,
  input: readonly ShopOrderLineInput[],
): Promise<{ cancelled: CancelledUnits[]; left: number }> {
  const lines = await readLines(em, customerId, [shopOrderId]);
  const wanted = findLines(input, lines);
  wanted.forEach(({ line: { ordered, cancelled }, quantity }, n) => {
    const left = ordered - cancelled;
    if (quantity <= left) return;
    const problem = `is more than is left: ${ordered} ordered, ${cancelled} cancelled, ${left} left`;
    throw badInput({ [`input.lines[${n}].quantity`]: problem });
  });
  const live = lines.reduce((sum, { ordered, cancelled }) => sum + ordered - cancelled, 0);
  const left = wanted.reduce((sum, { quantity }) => sum - quantity, live);
  return { cancelled: await cancel(em, customerId, wanted), left };
}

function readLines(
  em: EntityManager,
  customerId: string,
  shopOrderIds: readonly string[],
): Promise<Line[]> {
  return sql<Line>(
    em,
    `select i.id as "itemId", s.id as "shopOrderId", s.order_id as "orderId", s.shop_id as "shopId",
       i.sku, i.unit_price_amount as "unitPrice", i.quantity as ordered,
       i.cancelled_quantity as cancelled
     from shop_order s
       join order_item i on i.customer_id = s.customer_id and i.shop_order_id = s.id
     where s.customer_id = $1 and s.id = any($2::uuid[]) order by i.id`,
    [customerId, shopOrderIds],
  );
}

async function cancel(
  em: EntityManager,
  customerId: string,
  units: readonly { readonly line: Line; readonly quantity: number }[],
): Promise<CancelledUnits[]> {
  await sql(
    em,
    `update order_item i set cancelled_quantity = cancelled_quantity + line.quantity
     from unnest($2::uuid[], $3::int[]) as line (id, quantity)
     where i.customer_id = $1 and i.id = line.id`,
    [customerId, units.map(({ line }) => line.itemId), units.map(({ quantity }) => quantity)],
  );
  return units.map(({ line: { ordered: _, ...line }, quantity }) => {
    return { ...line, quantity, cancelled: line.cancelled + quantity };
  });
}
