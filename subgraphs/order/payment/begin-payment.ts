import type { EntityManager } from '@mikro-orm/postgresql';
import { namedParameters } from '../../shared/database/named-parameters.js';
import { sqlPrepared } from '../../shared/database/sql.js';
import { newId } from '../../shared/ids.js';

/** The time that the process which begins a payment has for it, before a worker takes it up. */
const dueAfterMs = 5000;

export interface NewPayment {
  readonly id: string;
  readonly orderId: string;
  readonly method: string;
  readonly provider: string;
  readonly endsOrder: boolean;
}

/**
 * Inserts the payment of a pending order, before the provider is called. An order has one live
 * payment: a second attempt gets the first.
 *
 * @returns the id of the payment to process; null if the order cannot be paid
 */
export async function beginPayment(em: EntityManager, payment: NewPayment): Promise<string | null> {
  for (;;) {
    const known = await findPayment(em, payment);
    if (known) return known;
    const inserted = await insertPayment(em, payment);
    if (inserted) return inserted;
    if (!(await isPending(em, payment.orderId))) return findPayment(em, payment);
  }
}

/** The payment with this id, or of this checkout; else the order's live payment. */
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
  const values = insertParameters.values({
    payment_id: payment.id,
    order_id: payment.orderId,
    method: payment.method,
    provider: payment.provider,
    ends_order: payment.endsOrder,
    due_after_ms: dueAfterMs,
    event_id: newId(),
  });
  const [inserted] = await sqlPrepared<{ id: string }>(em.fork(), insertPaymentSql, values);
  return inserted?.id ?? null;
}

const insertParameters = namedParameters({
  payment_id: 'uuid',
  order_id: 'uuid',
  method: 'text',
  provider: 'text',
  ends_order: 'boolean',
  due_after_ms: 'float8',
  event_id: 'uuid',
});
const { sql: parameters } = insertParameters;
const insertPaymentSql = `
  with inserted as (
    insert into payment (id, order_id, user_id, amount, currency_code, method, provider,
      ends_order, next_attempt_at)
    select ${parameters.payment_id}, id, customer_id, total_amount, currency_code,
      ${parameters.method}, ${parameters.provider}, ${parameters.ends_order},
      now() + ${parameters.due_after_ms} * interval '1 ms'
    from customer_order
    where id = ${parameters.order_id} and status = 'PENDING' and number is not null
    on conflict do nothing returning id, order_id, user_id
  ), history as (
    insert into order_event (id, order_id, type, actor, reason)
    select ${parameters.event_id}, order_id, 'PAYMENT_BEGUN', user_id::text, ${parameters.method}
    from inserted
  )
  select id from inserted`;

async function isPending(em: EntityManager, orderId: string): Promise<boolean> {
  const pending = `select 1 from customer_order
    where id = $1 and status = 'PENDING' and number is not null`;
  return (await sqlPrepared(em.fork(), pending, [orderId])).length > 0;
}
