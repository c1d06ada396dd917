import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../shared/database/sql.js';
import { transact } from '../../shared/database/transact.js';
import { lockedUnitsInCarts } from '../locks.js';

const batchMax = 500;
const countedHours = 24;

/**
 * Removes carts that were not changed for a day from the counters of units in carts. A cart that is
 * locked is left for the next run.
 *
 * @returns the number of carts removed from the counters
 */
export async function uncountIdleCarts(
  em: EntityManager,
  isStopping = () => false,
): Promise<number> {
  let uncounted = 0;
  while (!isStopping()) {
    const batch = await transact(em, uncountBatch);
    uncounted += batch;
    if (batch < batchMax) break;
  }
  return uncounted;
}

async function uncountBatch(em: EntityManager): Promise<number> {
  const idle = await sql<{ customerId: string }>(
    em,
    `update cart set counted = false where customer_id in (
       select customer_id from cart where counted and updated_at < now() - $1 * interval '1 hour'
       order by updated_at limit $2 for update skip locked)
     returning customer_id as "customerId"`,
    [countedHours, batchMax],
  );
  await sql(
    em,
    `with idle as (
       select i.offer_id, c.shard, sum(i.quantity) as units
       from cart c join cart_item i on i.customer_id = c.customer_id
       where c.customer_id = any($1::uuid[]) group by 1, 2
     ), ${lockedUnitsInCarts('idle')}
     update units_in_carts u set units = u.units - locked.units, updated_at = now()
     from locked where u.offer_id = locked.offer_id and u.shard = locked.shard`,
    [idle.map(({ customerId }) => customerId)],
  );
  return idle.length;
}
