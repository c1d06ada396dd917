import type { EntityManager } from '@mikro-orm/postgresql';
import type { Retention } from '../../shared/database/prune.js';
import { sql, sqlCount } from '../../shared/database/sql.js';
import { transact } from '../../shared/database/transact.js';
import type { Logger } from '../../shared/observability/logger.js';

const keepDays = 7;

/** Orders that ended before their stock was held, by the index `customer_order_never_held`. */
export const neverHeldRetention: Retention = {
  table: 'customer_order',
  outdated: `number is null and status = 'CANCELLED' and created_at < now() - interval '${keepDays} days'`,
};

// An order has up to 203 rows: itself, 100 lines in 100 shop orders, and two events.
const batchMax = 100;

/** In the order of the foreign keys. The trigger of the history allows it for these orders only. */
const deletions = [
  'delete from order_event where order_id = any($1::uuid[])',
  `delete from order_item where shop_order_id in (
     select id from shop_order where order_id = any($1::uuid[]))`,
  'delete from shop_order where order_id = any($1::uuid[])',
  'delete from customer_order where id = any($1::uuid[])',
];

/**
 * Deletes orders that ended before their stock was held, with all their rows, in batches with a commit
 * each. Such an order cannot be paid; one that has a payment all the same is kept, and `verify` reports it.
 *
 * @returns how many it deleted
 */
export async function deleteNeverHeld(
  em: EntityManager,
  logger: Logger,
  isStopping = () => false,
): Promise<number> {
  let orders = 0;
  while (!isStopping()) {
    const deleted = await transact(em, deleteBatch);
    orders += deleted;
    if (deleted < batchMax) break;
  }
  if (orders > 0) logger.debug({ orders }, 'orders deleted whose stock was never held');
  return orders;
}

async function deleteBatch(tx: EntityManager): Promise<number> {
  const found = await sql<{ id: string }>(
    tx,
    `select id from customer_order o
     where ${neverHeldRetention.outdated} and not exists (select from payment where order_id = o.id)
     limit $1 for update skip locked`,
    [batchMax],
  );
  const ids = found.map(({ id }) => id);
  for (const deletion of ids.length > 0 ? deletions : []) await sqlCount(tx, deletion, [ids]);
  return ids.length;
}
