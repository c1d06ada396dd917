import type { EntityManager } from '@mikro-orm/postgresql';
import { sqlPrepared } from '../../shared/database/sql.js';
import { newId } from '../../shared/ids.js';

/** What a worker leaves to the process that begins a payment. */
const dueAfterMs = 5000;

export interface NewPayment {
  readonly id: string;
  readonly orderId: string;
  readonly method: string;
  readonly provider: string;
  readonly endsOrder: boolean;
}

/**
 * Writes down the payment of a pending order, before anybody is asked for money. An order has one
 * live payment: who comes second is told of the first.
 *
 * @returns the payment that is to be spoken of; null where the order cannot be paid
 */
export async function beginPayment(em: EntityManager, payment: NewPayment): Promise<string | null> {
  for (;;) {
    const known = await findPayment(em, payment);
    if (known) return known;
    const made = await insertPayment(em, payment);
    if (made) return made;
    if (!(await isPending(em, payment.orderId))) return findPayment(em, payment);
  }
}

/** The one that was begun under this id, or by this checkout; else the order's live one. */
async function findPayment(em: EntityManager, payment: NewPayment): Promise<string | null> {
  const [known] = await sqlPrepared<{ id: string }>(
    em.fork(),
    `select id from payment
     where order_id = $1 and (id = $2 or (ends_order and $3)
       or status in ('PENDING', 'AUTHORIZED', 'COMPLETED'))
     order by (id = $2) desc, (ends_order and $3) desc limit 1`,
    [payment.orderId, payment.id, payment.endsOrder],
  );
  return known?.id ?? null;
}

async function insertPayment(em: EntityManager, payment: NewPayment): Promise<string | null> {
  const [made] = await sqlPrepared<{ id: string }>(
    em.fork(),
    `with made as (
       insert into payment (id, order_id, user_id, amount, currency_code, method, provider,
         ends_order, next_attempt_at)
       select $1, id, customer_id, total_amount, currency_code, $3, $4, $5,
         now() + $6 * interval '1 ms'
       from customer_order where id = $2 and status = 'PENDING'
       on conflict do nothing returning id, order_id, user_id
     ), history as (
       insert into order_event (id, order_id, type, actor, reason)
       select $7::uuid, order_id, 'PAYMENT_BEGUN', user_id::text, $3 from made
     )
     select id from made`,
    [
      ...[payment.id, payment.orderId, payment.method, payment.provider, payment.endsOrder],
      ...[dueAfterMs, newId()],
    ],
  );
  return made?.id ?? null;
}

async function isPending(em: EntityManager, orderId: string): Promise<boolean> {
  const pending = `select 1 from customer_order where id = $1 and status = 'PENDING'`;
  return (await sqlPrepared(em.fork(), pending, [orderId])).length > 0;
}
