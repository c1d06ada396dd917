import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../shared/database/sql.js';
import type { OrderApp } from '../context.js';
import { endPending } from '../order/transitions/end-pending.js';

const abandonedAfterMs = 15_000;
const batchMax = 50;
// Longer than a release may take.
const claimMs = 15_000;

/**
 * Ends checkouts that stopped half-way: PENDING orders of which nobody wrote down that their stock is
 * held, and whose key nobody works at. What may be held is released first; that also refuses a
 * reservation that comes later. The key is free again then: the customer may still repeat.
 *
 * @returns how many it ended
 */
export async function abandonOrders(
  app: OrderApp,
  isStopping = () => false,
  afterMs = abandonedAfterMs,
): Promise<number> {
  const em = app.orm.em.fork();
  const stale = await sql<{ id: string }>(
    em,
    `select id from customer_order o
     where status = 'PENDING' and expires_at is null
       and created_at < now() - $1 * interval '1 ms'
       and not exists (select from idempotency_key k
                       where k.subject_id = o.id and k.claimed_until > now())
     order by id limit $2`,
    [afterMs, batchMax],
  );
  let ended = 0;
  for (const { id } of stale) {
    if (isStopping()) break;
    if ((await claimAbandoned(em, id)) && (await abandon(app, id))) ended += 1;
  }
  return ended;
}

/**
 * Takes the key of an abandoned order, so that its customer waits while it is given up, and looks
 * once more whether it is abandoned: the customer may have come back since it was found. A key whose
 * outcome is stored is nobody's work any more: that its hold is gone, for one.
 */
async function claimAbandoned(em: EntityManager, orderId: string): Promise<boolean> {
  const taken = await sql(
    em,
    `with claimed as (
       update idempotency_key set claimed_until = now() + $2 * interval '1 ms', updated_at = now()
       where subject_id = $1 and outcome is null and claimed_until <= now() returning 1
     )
     select id from customer_order
     where id = $1 and status = 'PENDING' and expires_at is null
       and (exists (select from claimed)
            or not exists (select from idempotency_key where subject_id = $1 and outcome is null))`,
    [orderId, claimMs],
  );
  return taken.length > 0;
}

async function abandon(app: OrderApp, id: string): Promise<boolean> {
  const { state } = await app.reservations.release(id, 'ABANDONED');
  if (state === 'COMMITTED') {
    app.logger.error({ orderId: id }, 'an order without a hold was paid');
    return false;
  }
  return app.orm.em.fork().transactional(async (tx) => {
    const ended = await endPending(tx, id, { status: 'CANCELLED', reason: 'ABANDONED' });
    await sql(tx, 'delete from idempotency_key where subject_id = $1 and outcome is null', [id]);
    return ended;
  });
}
