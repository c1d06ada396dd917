import { sql } from '../../shared/database/sql.js';
import type { OrderApp } from '../context.js';
import { processPayment } from './process-payment.js';

const batchMax = 16;
const retryFirstMs = 4000;
const retryMaxMs = 60_000;

/**
 * Processes payments that are due: left half-way by a process, waiting for the customer or the bank,
 * or reported by a webhook. Each is postponed first, longer each time, so that no other process takes
 * it, and one does take it if this process dies.
 *
 * @returns the number of payments processed
 */
export async function recoverPayments(
  app: OrderApp,
  isStopping: () => boolean = () => false,
): Promise<number> {
  let taken = 0;
  while (!isStopping()) {
    const due = await sql<{ id: string }>(
      app.orm.em.fork(),
      `update payment set attempts = attempts + 1,
         next_attempt_at = now() + least($1 * 2 ^ least(attempts, 10), $2) * interval '1 ms'
       where id in (
         select id from payment where next_attempt_at <= now()
         order by next_attempt_at limit $3 for update skip locked
       ) returning id`,
      [retryFirstMs, retryMaxMs, batchMax],
    );
    await Promise.all(due.map(({ id }) => processPayment(app, id)));
    taken += due.length;
    if (due.length < batchMax) break;
  }
  return taken;
}
