import { sql } from '../../shared/database.js';
import type { OrderApp } from '../context.js';
import { settlePayment } from './settle-payment.js';

const staleAfterMs = 5000;
const batchMax = 10;

/**
 * Takes up payments that a process left half-way. Each is touched first, so that other processes
 * leave it alone for `staleAfterMs`.
 *
 * @returns how many it took up
 */
export async function recoverPayments(app: OrderApp, afterMs = staleAfterMs): Promise<number> {
  const stale = await sql<{ id: string }>(
    app.orm.em.fork(),
    `update payment set updated_at = now() where id in (
       select id from payment
       where status in ('PENDING', 'AUTHORIZED') and updated_at < now() - $1 * interval '1 ms'
       order by updated_at limit $2 for update skip locked
     ) returning id`,
    [afterMs, batchMax],
  );
  await Promise.all(stale.map(({ id }) => settlePayment(app, id)));
  return stale.length;
}
