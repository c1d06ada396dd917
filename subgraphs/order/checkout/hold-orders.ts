import { type EntityManager, sqlPrepared } from '../../shared/database.js';
import type { KeyOf } from '../../shared/idempotency.js';
import { newId } from '../../shared/ids.js';
import { noteChanged } from '../order/order-signals.js';

export interface HeldOrder {
  readonly orderId: string;
  readonly expiresAt: Date;
  /** whose outcome is stored then */
  readonly of: KeyOf;
  readonly outcome: object;
}

/**
 * Writes down until when the stock of pending orders is held, with the outcomes of their keys, in one
 * statement: as `setExpiresAt` and `storeOutcome`, for orders of which nothing is in a cart.
 *
 * @returns for each whether it was written; nothing is stored for the others
 */
export async function holdOrders(
  em: EntityManager,
  orders: readonly HeldOrder[],
): Promise<boolean[]> {
  const rows = await sqlPrepared<{ id: string }>(em, holding, [
    orders.map(({ orderId }) => orderId),
    orders.map(({ expiresAt }) => expiresAt),
    orders.map(() => newId()),
    orders.map(({ of }) => of.userId),
    orders.map(({ of }) => of.operation),
    orders.map(({ of }) => of.key),
    orders.map(({ outcome }) => JSON.stringify(outcome)),
  ]);
  const held = new Set(rows.map(({ id }) => id));
  for (const id of held) noteChanged(em, id);
  return orders.map(({ orderId }) => held.has(orderId));
}

const holding = `
  with asked as (
    select * from unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::uuid[], $5::text[], $6::text[],
      $7::jsonb[]) as asked (id, expires_at, event_id, user_id, operation, key, outcome)
  ), held as (
    update customer_order o
    set expires_at = asked.expires_at, version = version + 1, updated_at = now()
    from asked where o.id = asked.id and o.status = 'PENDING' and o.expires_at is null
    returning o.id
  ), history as (
    insert into order_event (id, order_id, type, actor)
    select event_id, id, 'RESERVED', 'warehouse' from held join asked using (id)
  ), stored as (
    update idempotency_key k set outcome = asked.outcome, updated_at = now()
    from held join asked using (id)
    where k.user_id = asked.user_id and k.operation = asked.operation and k.key = asked.key
      and k.subject_id = asked.id and k.outcome is null
  )
  select id from held`;
