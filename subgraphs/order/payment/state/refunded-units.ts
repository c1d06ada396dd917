import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../../shared/database/sql.js';

/**
 * The units of lines that a refund has, of whatever status: one that failed is retried, and one that was
 * cancelled need not return what the customer has already. In a transaction that holds the lock of the payment.
 *
 * @returns id of a line → units
 */
export async function readRefundedUnits(
  em: EntityManager,
  itemIds: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await sql<{ id: string; units: number }>(
    em,
    `select order_item_id as id, sum(quantity)::int as units from refund_line
     where order_item_id = any($1::uuid[]) group by 1`,
    [itemIds],
  );
  return new Map(rows.map(({ id, units }) => [id, units]));
}
