import type { EntityManager } from '@mikro-orm/postgresql';
import type { Retention } from '../../shared/database/prune.js';
import { sql, sqlCount } from '../../shared/database/sql.js';
import { transact } from '../../shared/database/transact.js';
import type { Logger } from '../../shared/observability/logger.js';
import type { RowKey } from '../row-key.js';

const keepDays = 7;

/** Orders that ended before their stock was held, by the index `customer_order_never_held`. */
export const neverHeldRetention: Retention = {
  table: 'customer_order',
  outdated: `number is null and status = 'CANCELLED' and created_at < now() - interval '${keepDays} days'`,
};

// An order has up to 203 rows: itself, 100 lines in 100 shop orders, and two events.
const batchMax = 100;

/** In the order of the foreign keys. The trigger of the history allows it for these orders only. */
const orders = 'unnest($1::uuid[], $2::uuid[]) as o (customer_id, id)';
const deletions = [
  `delete from order_event e using ${orders} where e.customer_id = o.customer_id and e.order_id = o.id`,
  `delete from order_item i using ${orders} join shop_order s
     on s.customer_id = o.customer_id and s.order_id = o.id
   where i.customer_id = s.customer_id and i.shop_order_id = s.id`,
  `delete from shop_order s using ${orders} where s.customer_id = o.customer_id and s.order_id = o.id`,
  `delete from customer_order t using ${orders} where t.customer_id = o.customer_id and t.id = o.id`,
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
  const found = await sql<RowKey>(
    tx,
    `select id, customer_id as "customerId" from customer_order o
     where ${neverHeldRetention.outdated} and not exists (
       select from payment p where p.customer_id = o.customer_id and p.order_id = o.id)
     limit $1 for update skip locked`,
    [batchMax],
  );
  const values = [found.map(({ customerId }) => customerId), found.map(({ id }) => id)];
  for (const deletion of found.length > 0 ? deletions : []) await sqlCount(tx, deletion, values);
  return found.length;
}
