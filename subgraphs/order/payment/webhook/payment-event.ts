import type { Opt } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import type { EntityManager } from '@mikro-orm/postgresql';
import { validate as isUuid } from 'uuid';
import { Retained } from '../../../shared/database/retention.js';
import { sqlPrepared } from '../../../shared/database/sql.js';
import { markPaymentsDue } from '../../order/payment-signals.js';
import type { RowKey } from '../../row-key.js';
import type { PaymentApp } from '../payment-app.js';
import type { ProviderEvent, ProviderStatus } from '../provider/payment-provider.js';
import { refundStatusOf } from '../refund/apply-provider-refunds.js';
import { PaymentStatus, type RefundStatus } from '../state/status.js';

/**
 * An accepted webhook. Providers send an event until it is accepted, and may send it again, but none for longer than
 * it is kept.
 */
@Retained({ keptFor: '7 days', since: 'created_at', index: 'payment_event_created_at' })
@Entity({ tableName: 'payment_event' })
export class PaymentEvent {
  @PrimaryKey({ type: 'varchar', length: 50 })
  provider!: string;

  /** the provider's id of the event */
  @PrimaryKey({ type: 'varchar', length: 255 })
  id!: string;

  /** the payment that it is about; null if that is unknown here */
  @Property({ type: 'uuid', nullable: true })
  paymentId!: string | null;

  @Property({ type: 'timestamptz', defaultRaw: 'now()', index: 'payment_event_created_at' })
  createdAt!: Opt<Date>;
}

const decided: readonly PaymentStatus[] = [
  'AUTHORIZED',
  'COMPLETED',
  'REFUNDED',
  'FAILED',
  'VOIDED',
];

/** The statuses of a payment in which an event about a state of the provider says nothing new. */
const knownIn: Readonly<Record<ProviderStatus, readonly PaymentStatus[]>> = {
  unconfirmed: Object.keys(PaymentStatus) as PaymentStatus[],
  actionRequired: decided,
  pending: ['PENDING', ...decided],
  authorized: ['AUTHORIZED', 'COMPLETED', 'REFUNDED'],
  captured: ['COMPLETED', 'REFUNDED'],
  declined: ['FAILED'],
  canceled: ['FAILED', 'VOIDED'],
};

/**
 * Records an event once, and makes its payment due in the same statement: the state is looked up at
 * the provider, never read from the event; only that an attempt was declined is kept, as the provider may show
 * the next one by then. An event that says nothing new, or is about no payment of ours, is not written.
 *
 * @returns whether the event was new
 */
export async function recordEvent(
  { orm, paymentWrites }: Pick<PaymentApp, 'orm' | 'paymentWrites'>,
  provider: string,
  event: ProviderEvent,
): Promise<boolean> {
  const paymentId = isUuid(event.paymentId) ? event.paymentId : null;
  const isKnownIn = (status: PaymentStatus | undefined) =>
    status && event.status && knownIn[event.status].includes(status);
  // Most events are about what this process has just written: they cost no query.
  if (paymentId && isKnownIn(paymentWrites.lastStatus(provider, paymentId))) return false;
  const em = orm.em.fork();
  const payment = await findPayment(em, provider, { ...event, paymentId });
  const subject = payment && (await readSubject(em, payment, event));
  if (!subject || isKnownIn(subject.status)) return false;
  if (event.status === 'actionRequired' && subject.isActionKnown) return false;
  if (event.refund && refundStatusOf[event.refund.status] === subject.refundStatus) return false;
  const rows = await sqlPrepared<{ id: string }>(em, recordEventSql, [
    provider,
    event.eventId,
    payment.customerId,
    payment.id,
    event.status === 'declined',
  ]);
  if (rows.length > 0) markPaymentsDue(em, [payment.id]);
  return rows.length > 0;
}

interface Subject {
  readonly status: PaymentStatus;
  /** whether the secret is stored with which the customer acts */
  readonly isActionKnown: boolean;
  /** of the refund that the event is about, if it is known here */
  readonly refundStatus: RefundStatus | null;
}

/** By the provider’s id; or by ours alone, while the provider’s is not stored. */
async function findPayment(
  em: EntityManager,
  provider: string,
  { paymentId, transactionId }: ProviderEvent,
): Promise<RowKey | undefined> {
  const [found] = await sqlPrepared<RowKey>(em, byTransactionSql, [provider, transactionId]);
  if (found || !paymentId) return found;
  return (await sqlPrepared<RowKey>(em, byIdSql, [provider, paymentId]))[0];
}

const byTransactionSql = `
  select customer_id as "customerId", payment_id as id from provider_transaction
  where provider = $1 and provider_transaction_id = $2`;
// payment_id.
const byIdSql = `
  select customer_id as "customerId", id from payment where provider = $1 and id = $2`;

async function readSubject(
  em: EntityManager,
  { customerId, id }: RowKey,
  { refund }: ProviderEvent,
): Promise<Subject | undefined> {
  const values = [customerId, id, refund?.id ?? null];
  return (await sqlPrepared<Subject>(em, readSubjectSql, values))[0];
}

// payment by its key, and refund_of_provider.
const readSubjectSql = `
  select p.status, p.client_secret is not null as "isActionKnown", (select r.status from refund r
    where r.customer_id = p.customer_id and r.payment_id = p.id
      and r.provider_refund_id = $3::text) as "refundStatus"
  from payment p where p.customer_id = $1 and p.id = $2`;

const recordEventSql = `
  with recorded as (
    insert into payment_event (provider, id, payment_id) values ($1, $2, $4)
    on conflict do nothing returning payment_id
  ), made_due as (
    update payment set next_attempt_at = now(), attempts = 0,
      declined_at = case when $5 and status = 'PENDING' then now() else declined_at end
    from recorded where payment.customer_id = $3 and payment.id = recorded.payment_id
  )
  select 1 from recorded`;
