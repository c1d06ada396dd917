import type { EntityManager } from '@mikro-orm/postgresql';
import { namedParameters } from '../../shared/database/named-parameters.js';
import { sqlPrepared } from '../../shared/database/sql.js';
import { newId } from '../../shared/ids.js';
import { isPayableSql } from './payable.js';
import { stepMaxMs } from './payment-ref.js';
import type { PaymentProvider } from './provider/payment-provider.js';

export interface NewPayment {
  readonly id: string;
  readonly orderId: string;
  readonly method: string;
  readonly endsOrder: boolean;
}
export interface BegunPayment {
  readonly id: string;
  /** whether this call inserted it: only its caller may ask for the money */
  readonly isNew: boolean;
}
type Provider = Pick<PaymentProvider, 'name' | 'timeLimitMs' | 'takesOurIds'>;

/**
 * Inserts the payment of a pending order, before the provider is called. An order has one live
 * payment: a second attempt gets the first.
 *
 * @returns the payment to process; null if the order cannot be paid, or its hold ends before the provider
 *   has to answer
 */
export async function beginPayment(
  em: EntityManager,
  provider: Provider,
  payment: NewPayment,
): Promise<BegunPayment | null> {
  for (;;) {
    const known = await findPayment(em, payment);
    if (known) return { id: known, isNew: false };
    const inserted = await insertPayment(em, provider, payment);
    if (inserted) return { id: inserted, isNew: true };
    if (!(await isPayable(em, provider, payment.orderId))) {
      const other = await findPayment(em, payment);
      return other ? { id: other, isNew: false } : null;
    }
  }
}

/**
 * The payment with this id, or of this checkout, unless nothing was charged; else the order's live
 * payment.
 */
async function findPayment(em: EntityManager, payment: NewPayment): Promise<string | null> {
  const [known] = await sqlPrepared<{ id: string }>(
    em.fork(),
    `select id from payment
     where order_id = $1 and (id = $2
       or (ends_order and $3 and failure is distinct from 'NOT_CHARGED')
       or status in ('PENDING', 'AUTHORIZED', 'COMPLETED'))
     order by (id = $2) desc, (ends_order and $3) desc limit 1`,
    [payment.orderId, payment.id, payment.endsOrder],
  );
  return known?.id ?? null;
}

async function insertPayment(
  em: EntityManager,
  { name, timeLimitMs, takesOurIds }: Provider,
  payment: NewPayment,
): Promise<string | null> {
  const values = insertParameters.values({
    payment_id: payment.id,
    order_id: payment.orderId,
    method: payment.method,
    provider: name,
    transaction_id: takesOurIds ? payment.id : null,
    ends_order: payment.endsOrder,
    limit_ms: timeLimitMs,
    due_after_ms: stepMaxMs(timeLimitMs),
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
  transaction_id: 'text',
  ends_order: 'boolean',
  limit_ms: 'float8',
  due_after_ms: 'float8',
  event_id: 'uuid',
});
const { sql: parameters } = insertParameters;
const insertPaymentSql = `
  with inserted as (
    insert into payment (id, order_id, user_id, amount, currency_code, method, provider,
      provider_transaction_id, ends_order, next_attempt_at)
    select ${parameters.payment_id}, id, customer_id, total_amount, currency_code,
      ${parameters.method}, ${parameters.provider}, ${parameters.transaction_id},
      ${parameters.ends_order},
      now() + ${parameters.due_after_ms} * interval '1 ms'
    from customer_order
    where id = ${parameters.order_id} and ${isPayableSql(parameters.limit_ms)}
    on conflict do nothing returning id, order_id, user_id
  ), history as (
    insert into order_event (id, order_id, type, actor, reason)
    select ${parameters.event_id}, order_id, 'PAYMENT_BEGUN', user_id::text, ${parameters.method}
    from inserted
  )
  select id from inserted`;

async function isPayable(
  em: EntityManager,
  { timeLimitMs }: Provider,
  orderId: string,
): Promise<boolean> {
  const payable = `select 1 from customer_order where id = $1 and ${isPayableSql('$2')}`;
  return (await sqlPrepared(em.fork(), payable, [orderId, timeLimitMs])).length > 0;
}
