import type { EntityManager } from '@mikro-orm/postgresql';
import { firstOfEach } from '../../../shared/batching/first-of-each.js';
import { columnsOf } from '../../../shared/database/columns.js';
import { namedParameters } from '../../../shared/database/named-parameters.js';
import { sqlPrepared } from '../../../shared/database/sql.js';
import { statement } from '../../../shared/database/statement.js';
import { newId } from '../../../shared/ids.js';
import type { RowKey } from '../../row-key.js';
import type { PaymentProvider } from '../provider/payment-provider.js';
import { stepMaxMs } from '../provider/step-max.js';
import { isPayableSql } from './payable.js';
import { Payment } from './payment.js';
import { storeTransactionsSql } from './provider-transaction.js';
import { isAttemptSql } from './status.js';

export interface NewPayment extends RowKey {
  readonly orderId: string;
  readonly method: string;
  readonly endsOrder: boolean;
}

export type BegunPayment =
  /** `isNew`: this call inserted it; only its caller may ask for the money */
  | { readonly kind: 'begun'; readonly payment: Payment; readonly isNew: boolean }
  /** the order is not payable, or its hold ends before the provider has to answer */
  | { readonly kind: 'not-payable' }
  /** the order is payable once its hold is extended */
  | { readonly kind: 'extensible' }
  /** undecided attempts of the customer hold all remaining places of this day */
  | { readonly kind: 'busy' }
  /** too many declined attempts. `retryAt`: null if the order cannot be paid any more */
  | { readonly kind: 'limited'; readonly retryAt: Date | null };

/** What one look at an order finds; null if another process began a payment in this moment. */
type Found = BegunPayment | null;

/** Declined attempts of an order. */
export const declinesPerOrderMax = 5;
/** Declined attempts of a customer in a day, by UTC; those that are not decided yet count. */
export const declinesPerDayMax = 20;

interface Row extends Record<string, unknown> {
  readonly requestId: string;
  readonly outcome:
    | 'inserted'
    | 'known'
    | 'not-payable'
    | 'extensible'
    | 'order-limit'
    | 'day-limit'
    | 'busy'
    | 'again';
  readonly nextDay: string;
}

/**
 * Begins payments in one statement: the one writer of new payments.
 *
 * @returns null for a payment of whose order another process began one in this moment
 */
export async function beginPayments(
  em: EntityManager,
  { name, timeLimitMs, takesOurIds }: Pick<PaymentProvider, 'name' | 'timeLimitMs' | 'takesOurIds'>,
  payments: readonly NewPayment[],
): Promise<Found[]> {
  const firsts = firstOfEach(payments, ({ id }) => id);
  const request = firsts.map(({ customerId, id, orderId, method, endsOrder }) => ({
    customer_id: customerId,
    id,
    order_id: orderId,
    method,
    ends_order: endsOrder,
    event_id: newId(),
  }));
  const values = beginParameters.values({
    provider: name,
    takes_our_ids: takesOurIds,
    limit_ms: timeLimitMs,
    due_after_ms: stepMaxMs(timeLimitMs),
    request,
  });
  const rows = await sqlPrepared<Row>(em, beginPaymentsSql(em), values);
  const found = new Map(rows.map((row) => [row.requestId, row]));
  return payments.map((payment) =>
    firsts.includes(payment) ? toFound(em, found.get(payment.id) as Row) : null,
  );
}

function toFound(em: EntityManager, { requestId: _, outcome, nextDay, ...row }: Row): Found {
  switch (outcome) {
    case 'inserted':
    case 'known': {
      const payment = em.map(Payment, row);
      return { kind: 'begun', payment, isNew: outcome === 'inserted' };
    }
    case 'not-payable':
    case 'extensible':
      return { kind: outcome };
    case 'order-limit':
      return { kind: 'limited', retryAt: null };
    case 'day-limit':
      return { kind: 'limited', retryAt: new Date(nextDay) };
    case 'busy':
      return { kind: 'busy' };
    case 'again':
      return null;
  }
}

const beginParameters = namedParameters({
  provider: 'text',
  takes_our_ids: 'boolean',
  limit_ms: 'float8',
  due_after_ms: 'float8',
  request: {
    customer_id: 'uuid',
    id: 'uuid',
    order_id: 'uuid',
    method: 'text',
    ends_order: 'boolean',
    event_id: 'uuid',
  },
});
const { sql: parameters } = beginParameters;

/*
 * Known is the payment with this id, or of this checkout, unless nothing was charged; else the order's live
 * payment. By customer_order_pkey, payment_order and payment_attempt, whose unique slots bound the attempts of
 * a customer, also those of the same moment: one that finds its slot taken looks again. `busy` is a scalar
 * subquery, as PostgreSQL might read all payments of the day for an `exists`.
 */
const beginPaymentsSql = statement(
  (em) => `
  with request as (
    select * from ${parameters.request}
  ), known as (
    select distinct on (r.id) r.id as request_id, ${columnsOf(em, Payment, 'p.')}
    from request r join payment p on p.customer_id = r.customer_id and p.order_id = r.order_id
      and (p.id = r.id
        or (p.ends_order and r.ends_order and p.failure is distinct from 'NOT_CHARGED')
        or p.status in ('PENDING', 'AUTHORIZED', 'COMPLETED'))
    order by r.id, (p.id = r.id) desc, (p.ends_order and r.ends_order) desc
  ), payable as (
    select r.*, o.total_amount, o.currency_code, o.reserve_for_ms is not null as is_extensible,
      (select count(*) from payment p
       where p.customer_id = o.customer_id and p.order_id = o.id and ${isAttemptSql('p')})
        >= ${declinesPerOrderMax} as order_is_limited,
      (select slot from generate_series(1, ${declinesPerDayMax}) slot
       where not exists (select from payment p where p.customer_id = o.customer_id
         and p.attempt_day = (now() at time zone 'UTC')::date and p.attempt_slot = slot)
       order by slot limit 1) as free_slot
    from request r join customer_order o on o.customer_id = r.customer_id and o.id = r.order_id
    where (${isPayableSql(parameters.limit_ms)} or (o.status = 'PENDING' and o.number is not null and o.reserve_for_ms is not null))
      and r.id not in (select request_id from known)
  ), inserted as (
    insert into payment (customer_id, id, order_id, amount, currency_code, method, provider,
      provider_transaction_id, ends_order, attempt_day, attempt_slot, next_attempt_at)
    select customer_id, id, order_id, total_amount, currency_code, method, ${parameters.provider},
      case when ${parameters.takes_our_ids} then id::text end, ends_order,
      (now() at time zone 'UTC')::date, free_slot,
      now() + ${parameters.due_after_ms} * interval '1 ms'
    from payable where not order_is_limited and free_slot is not null and not is_extensible
    on conflict do nothing returning *
  ), history as (
    insert into order_event (customer_id, id, order_id, type, actor, reason)
    select customer_id, event_id, inserted.order_id, 'PAYMENT_BEGUN', customer_id::text, inserted.method
    from inserted join request using (customer_id, id)
  ), transactions as (${storeTransactionsSql('inserted')}
  ), found as (
    select id as request_id, 'inserted' as outcome, ${columnsOf(em, Payment)} from inserted
    union all
    select request_id, 'known', ${columnsOf(em, Payment)} from known
  )
  select r.id as "requestId", ${columnsOf(em, Payment, 'f.')},
    date_trunc('day', now(), 'UTC') + interval '1 day' as "nextDay",
    coalesce(f.outcome, case when p.id is null then 'not-payable'
      when p.order_is_limited then 'order-limit'
      when p.free_slot is not null and p.is_extensible then 'extensible'
      when p.free_slot is not null then 'again'
      when (select true from payment t where t.customer_id = p.customer_id and t.status = 'PENDING'
        and t.attempt_day = (now() at time zone 'UTC')::date and t.attempt_slot is not null limit 1)
        then 'busy' else 'day-limit' end) as outcome
  from request r left join found f on f.request_id = r.id left join payable p on p.id = r.id`,
);
