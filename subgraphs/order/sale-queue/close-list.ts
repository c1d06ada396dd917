import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../shared/database/sql.js';
import { setTimeLimit } from '../../shared/database/time-limit.js';
import { transact } from '../../shared/database/transact.js';
import { failPoint } from '../../shared/resilience/fail-point.js';
import { lockQueues } from './lock-queues.js';

/** A list of 200,000 tickets takes longer than statements of requests may on a busy machine. */
const closingMaxMs = 60_000;

/** SQL for the SHA-256 of the ids of the list of a sale, 16 bytes each, in ascending order. */
export const listHashSql = (saleId: string) => `(
    select sha256(coalesce(string_agg(uuid_send(t.id), '' order by t.id), ''))
    from sale_ticket t where t.sale_id = ${saleId} and t.early)`;

/**
 * Closes the list of early tickets if its time has come and it is open. Later tickets have numbers behind it.
 *
 * @throws OutcomeUnknown
 */
export async function closeList(em: EntityManager, saleId: string): Promise<void> {
  await transact(em, async (tx) => {
    const queue = (await lockQueues(tx, [saleId], 'update')).get(saleId);
    if (!queue || queue.isClosed || !queue.isDue) return;
    await setTimeLimit(tx, closingMaxMs);
    // A statement of its own: it sees all that was committed before the lock.
    await sql(
      tx,
      `with list as (
         select count(*)::int as count from sale_ticket where sale_id = $1 and early
       )
       update sale_queue q set closed_at = clock_timestamp(), list_count = list.count,
         list_hash = ${listHashSql('$1')}, next_number = list.count + 1, updated_at = now()
       from list where q.sale_id = $1`,
      [saleId],
    );
    failPoint('list of a queue closed, not committed');
  });
  failPoint('list of a queue closed, not drawn');
}
