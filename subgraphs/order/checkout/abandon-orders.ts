import type { EntityManager } from '@mikro-orm/postgresql';
import { isDatabaseUnavailable } from '../../shared/database/errors.js';
import { sql } from '../../shared/database/sql.js';
import { transact } from '../../shared/database/transact.js';
import { isTryAgain } from '../../shared/errors.js';
import type { OrderApp } from '../context.js';
import { endPending } from '../order/transitions/end-pending.js';
import type { RowKey } from '../row-key.js';

export const abandonedAfterMs = 15_000;
const batchMax = 50;
const beforeAll = '00000000-0000-0000-0000-000000000000';
// Longer than a release may take.
const claimMs = 15_000;
// TRY_AGAIN of so many orders in a row: the warehouse is unavailable, and not one of these orders the cause.
const tryAgainMax = 10;

/**
 * Cancels the orders of checkouts that stopped half-way: PENDING orders without a recorded reservation
 * whose idempotency key is not claimed. They have no number, so nobody sees them. The reservation is
 * released first, which also refuses a reserve request that arrives later. Then the key is free and the
 * customer may retry. A run looks at each of them once: an overload leaves thousands. An order that
 * fails is logged and left to the next run. The run ends early when `tryAgainMax` in a row fail with `TRY_AGAIN`.
 *
 * @returns the number of orders cancelled
 * @throws what an unavailable database reports
 */
export async function abandonOrders(
  app: OrderApp,
  isStopping = () => false,
  afterMs = abandonedAfterMs,
): Promise<number> {
  const em = app.orm.em.fork();
  let cancelled = 0;
  let tryAgains = 0;
  for (let last: string | undefined = beforeAll; last !== undefined; ) {
    const stale: RowKey[] = await findStale(em, last, afterMs);
    for (const order of stale) {
      if (isStopping() || tryAgains === tryAgainMax) return cancelled;
      try {
        if ((await claimAbandoned(em, order)) && (await abandon(app, order))) cancelled += 1;
        tryAgains = 0;
      } catch (error) {
        if (isDatabaseUnavailable(error)) throw error;
        app.logger.warn({ err: error, orderId: order.id }, 'abandoned order not cancelled');
        tryAgains = isTryAgain(error) ? tryAgains + 1 : 0;
      }
    }
    last = stale.length < batchMax ? undefined : stale.at(-1)?.id;
  }
  return cancelled;
}

/** The next batch after an order, by id: one that cannot be cancelled now does not come again. */
function findStale(em: EntityManager, after: string, afterMs: number): Promise<RowKey[]> {
  return sql<RowKey>(
    em,
    `select customer_id as "customerId", id from customer_order o
     where status = 'PENDING' and expires_at is null and id > $3
       and created_at < now() - $1 * interval '1 ms'
       and not exists (select from idempotency_key k
                       where k.user_id = o.customer_id and k.subject_id = o.id
                         and k.claimed_until > now())
     order by id limit $2`,
    [afterMs, batchMax, after],
  );
}

/**
 * Claims the key of an abandoned order, so that its customer waits while it is cancelled, and checks
 * again that it is abandoned: the customer may have retried since it was found. A key with a stored
 * outcome needs no claim, for example when its reservation had ended.
 */
async function claimAbandoned(em: EntityManager, { customerId, id }: RowKey): Promise<boolean> {
  const stillAbandoned = await sql(
    em,
    `with claimed as (
       update idempotency_key set claimed_until = now() + $3 * interval '1 ms', updated_at = now()
       where user_id = $1 and subject_id = $2 and outcome is null and claimed_until <= now() returning 1
     )
     select id from customer_order
     where customer_id = $1 and id = $2 and status = 'PENDING' and expires_at is null
       and (exists (select from claimed)
            or not exists (select from idempotency_key
                           where user_id = $1 and subject_id = $2 and outcome is null))`,
    [customerId, id, claimMs],
  );
  return stillAbandoned.length > 0;
}

async function abandon(app: OrderApp, order: RowKey): Promise<boolean> {
  const { id } = order;
  const { state } = await app.reservations.release(id, 'ABANDONED');
  if (state === 'COMMITTED') {
    app.logger.error({ orderId: id }, 'order without a recorded reservation was paid');
    return false;
  }
  return transact(app.orm.em, async (tx) => {
    const ended = await endPending(tx, order, { to: 'CANCELLED', reason: 'ABANDONED' });
    await freeKey(tx, order);
    return ended;
  });
}

/** Forgets the key of an order unless it has an outcome, so that the customer may place another order. */
export async function freeKey(em: EntityManager, { customerId, id }: RowKey): Promise<void> {
  await sql(
    em,
    'delete from idempotency_key where user_id = $1 and subject_id = $2 and outcome is null',
    [customerId, id],
  );
}
