import { sql } from '../../shared/database/sql.js';
import { scanStart } from '../../shared/runtime/queue-mark.js';
import { startWorker } from '../../shared/runtime/worker.js';
import type { HeldRows } from '../reservation/dispatcher/run-batch-isolating.js';
import { reservationQueue } from '../reservation/reservation-queue.js';
import type { StockStore } from '../stock/stock-store.js';
import { expireIsolating } from './expire-reservations.js';

const sweepMax = 1000;
// How long the keyspace event may take before the sweeper expires the reservation.
const sweepGraceMs = 2000;

/** Finds and expires reservations whose event or timer was lost, until stopped. */
export function startSweeper(store: StockStore, everyMs: number, held: HeldRows) {
  const failed = new Set<string>();
  return startWorker('sweep of overdue reservations', everyMs, store.logger, async (isStopping) => {
    failed.clear();
    // Batch after batch, as long as there are more that can be expired.
    for (let more = true; more && !isStopping(); ) {
      const [overdue, failedBefore] = [await readOverdue(store, failed), failed.size];
      const expired = await expireIsolating(store, overdue, failed, held);
      store.metrics.sweeperFinds.inc(expired);
      // Those that another process is expiring would be found again immediately.
      more = overdue.length === sweepMax && (expired > 0 || failed.size > failedBefore);
    }
  });
}

/** The longest overdue first. */
export async function readOverdue(
  { orm }: Pick<StockStore, 'orm'>,
  failed: ReadonlySet<string>,
): Promise<string[]> {
  const em = orm.em.fork();
  const rows = await sql<{ orderId: string }>(
    em,
    `select order_id as "orderId" from reservation
     where state = 'HELD' and expires_at >= $4 and expires_at < now() - $1 * interval '1 ms'
       and order_id <> all($3::uuid[])
     order by expires_at limit $2`,
    [sweepGraceMs, sweepMax, [...failed], await scanStart(em, reservationQueue)],
  );
  return rows.map(({ orderId }) => orderId);
}
