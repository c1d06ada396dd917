import { sql } from '../../shared/database.js';
import { pruneKeys } from '../../shared/idempotency.js';
import type { OrderApp } from '../context.js';
import { endPending } from '../order/change-status.js';

const abandonedAfterMs = 15_000;
const batchMax = 50;

/**
 * Ends checkouts that stopped half-way: PENDING orders of which nobody wrote down that their stock is
 * held, and whose key nobody works at. What may be held is released first; that also refuses a
 * reservation that comes later. The key is free again then: the customer may still repeat.
 *
 * @returns how many it ended
 */
export async function abandonOrders(app: OrderApp, afterMs = abandonedAfterMs): Promise<number> {
  const em = app.orm.em.fork();
  const stale = await sql<{ id: string }>(
    em,
    `select id from customer_order o
     where status = 'PENDING' and expires_at is null
       and created_at < now() - $1 * interval '1 ms'
       and not exists (select from idempotency_key k
                       where k.subject_id = o.id and k.claimed_until > now())
     order by created_at limit $2`,
    [afterMs, batchMax],
  );
  let ended = 0;
  for (const { id } of stale) {
    const { state } = await app.reservations.release(id, 'ABANDONED');
    if (state === 'COMMITTED') {
      app.logger.error({ orderId: id }, 'an order without a hold was paid');
      continue;
    }
    await app.orm.em.fork().transactional(async (tx) => {
      const done = await endPending(tx, id, { status: 'CANCELLED', reason: 'ABANDONED' });
      if (done) ended += 1;
      await sql(tx, 'delete from idempotency_key where subject_id = $1 and outcome is null', [id]);
    });
  }
  await pruneKeys(em);
  return ended;
}
