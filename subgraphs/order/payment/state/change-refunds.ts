import type { EntityManager } from '@mikro-orm/postgresql';
import Big from 'big.js';
import { amountScale } from '../../../shared/currencies.js';
import { amountTextSql } from '../../../shared/database/money-sql.js';
import { namedParameters } from '../../../shared/database/named-parameters.js';
import { sql } from '../../../shared/database/sql.js';
import { newId } from '../../../shared/ids.js';
import type { OrderEventType } from '../../order/order-event.js';
import { markRefundsDue } from '../../order/payment-signals.js';
import type { RowKey } from '../../row-key.js';
import { assertTransition } from '../../state-machine.js';
import { changePayment } from './change-payments.js';
import { shownFailureOf } from './refund-failure.js';
import { type PaymentStatus, type RefundStatus, refundTransitions } from './status.js';

export interface RefundChange {
  /** as it was read: a refund with another status by now is left as it is */
  readonly refund: { readonly id: string; readonly status: RefundStatus };
  readonly to: RefundStatus;
  /** of SENT: the provider’s id */
  readonly providerRefundId?: string;
  /** of FAILED and CANCELLED */
  readonly reason?: string | undefined;
  /** of PENDING: the user who retries it */
  readonly actor?: string;
  /** of CANCELLED: what the customer has already */
  readonly covered?: Covered;
}

/** Amounts that a refund need not return, as the customer has them already. */
interface Covered {
  readonly byDispute: string;
  readonly byRefund: string;
}

const reasonMaxLength = 255;
const eventTypes: Readonly<Record<RefundStatus, OrderEventType | null>> = {
  PENDING: 'REFUND_REQUESTED',
  SENT: null,
  COMPLETED: 'REFUND_COMPLETED',
  FAILED: 'REFUND_FAILED',
  CANCELLED: 'REFUND_CANCELLED',
};

/**
 * The one writer of the status of refunds: changes refunds of one payment, adds the entries in the history
 * of the order, and then the payment is REFUNDED exactly if its completed refunds add up to its amount.
 * In a transaction that holds the lock of the payment (`lockPayment`).
 *
 * A retry uses another idempotency key at the provider.
 *
 * @returns for each refund whether it was changed
 * @throws AssertionFailed for a transition that `refundTransitions` does not have
 */
export async function changeRefunds(
  em: EntityManager,
  payment: RowKey,
  changes: readonly RefundChange[],
): Promise<boolean[]> {
  const values = changeParameters.values({
    customer_id: payment.customerId,
    change: changes.map(toRow),
  });
  const rows = await sql<{ id: string }>(em, changeRefundsSql, values);
  const changed = new Set(rows.map(({ id }) => id));
  if (changed.size > 0) await setRefundedStatus(em, payment);
  return changes.map(({ refund }) => changed.has(refund.id));
}

/** As `changeRefunds`, for one refund. */
export async function changeRefund(
  em: EntityManager,
  payment: RowKey,
  change: RefundChange,
): Promise<boolean> {
  return (await changeRefunds(em, payment, [change]))[0] === true;
}

function toRow({ refund, to, providerRefundId, reason, actor, covered }: RefundChange) {
  assertTransition(refundTransitions, refund.status, to);
  const failure = (reason ?? 'unknown').slice(0, reasonMaxLength);
  return {
    id: refund.id,
    from_status: refund.status,
    to_status: to,
    provider_refund_id: providerRefundId ?? null,
    failure_reason: to === 'FAILED' ? failure : null,
    event_id: newId(),
    event_type: eventTypes[to],
    actor: actor ?? 'payments',
    reason: to === 'FAILED' ? shownFailureOf(failure) : (reason ?? null),
    covered_by_dispute: covered?.byDispute ?? '0',
    covered_by_refund: covered?.byRefund ?? '0',
  };
}

const changeParameters = namedParameters({
  customer_id: 'uuid',
  change: {
    id: 'uuid',
    from_status: 'text',
    to_status: 'text',
    provider_refund_id: 'text',
    failure_reason: 'text',
    event_id: 'uuid',
    event_type: 'text',
    actor: 'text',
    reason: 'text',
    covered_by_dispute: 'numeric',
    covered_by_refund: 'numeric',
  },
});

const changeRefundsSql = `
  with change as (
    select * from ${changeParameters.sql.change}
  ), changed as (
    update refund r set status = change.to_status, failure_reason = change.failure_reason,
      provider_refund_id = coalesce(change.provider_refund_id, r.provider_refund_id),
      attempt = case when change.to_status = 'PENDING' then r.attempt + 1 else r.attempt end,
      covered_by_dispute = r.covered_by_dispute + change.covered_by_dispute,
      covered_by_refund = r.covered_by_refund + change.covered_by_refund,
      attempts = 0, next_attempt_at = greatest(now(), r.not_before), updated_at = now()
    from change
    where r.customer_id = ${changeParameters.sql.customer_id} and r.id = change.id and r.status = change.from_status
    returning r.customer_id, r.id, r.payment_id, r.shop_order_id, r.amount
  ), history as (
    insert into order_event (customer_id, id, order_id, shop_order_id, type, actor, reason)
    select changed.customer_id, event_id, p.order_id, shop_order_id, event_type, actor,
      concat_ws(': ', ${amountTextSql('changed.amount', 'p.currency_code')}, reason)
    from changed join change using (id)
      join payment p on p.customer_id = changed.customer_id and p.id = payment_id
    where event_type is not null
  )
  select id from changed`;

const hasMoney = 'the customer has the money already';

/**
 * Reduces a PENDING refund by what the customer has already, and cancels it if that is all of it. What is left
 * has another idempotency key. In a transaction that holds the lock of the payment.
 */
export async function reducePendingRefund(
  em: EntityManager,
  payment: RowKey,
  refund: { readonly id: string; readonly amount: string } & Covered,
): Promise<void> {
  const { id, amount, ...covered } = refund;
  const left = new Big(amount).minus(covered.byDispute).minus(covered.byRefund);
  if (left.eq(0)) {
    const pending = { id, status: 'PENDING' as const };
    await changeRefund(em, payment, {
      refund: pending,
      to: 'CANCELLED',
      reason: hasMoney,
      covered,
    });
    return;
  }
  const reduced = new Big(amount).minus(left).toFixed(amountScale);
  await sql(em, reduceSql, [
    ...[payment.customerId, id, left.toFixed(amountScale), covered.byDispute, covered.byRefund],
    ...[newId(), reduced, hasMoney],
  ]);
  markRefundsDue(em, payment.id);
}

const reduceSql = `
  with reduced as (
    update refund set amount = $3, covered_by_dispute = covered_by_dispute + $4,
      covered_by_refund = covered_by_refund + $5, attempt = attempt + 1,
      next_attempt_at = greatest(now(), not_before), updated_at = now()
    where customer_id = $1 and id = $2 and status = 'PENDING'
    returning customer_id, payment_id, shop_order_id
  )
  insert into order_event (customer_id, id, order_id, shop_order_id, type, actor, reason)
  select p.customer_id, $6::uuid, p.order_id, shop_order_id, 'REFUND_CANCELLED', 'payments',
    concat_ws(': ', ${amountTextSql('$7::numeric', 'p.currency_code')}, $8::text)
  from reduced
    join payment p on p.customer_id = reduced.customer_id and p.id = payment_id`;

/** Sets the status of a payment whose refunds changed. In a transaction that holds its lock. */
export async function setRefundedStatus(
  em: EntityManager,
  { customerId, id }: RowKey,
): Promise<void> {
  const [payment] = await sql<{ status: PaymentStatus; isRefunded: boolean }>(
    em,
    `select status, amount = (select coalesce(sum(amount), 0) from refund
       where customer_id = p.customer_id and payment_id = p.id and status = 'COMPLETED') as "isRefunded"
     from payment p where customer_id = $1 and id = $2`,
    [customerId, id],
  );
  if (!payment || !['COMPLETED', 'REFUNDED'].includes(payment.status)) return;
  const to = payment.isRefunded ? 'REFUNDED' : 'COMPLETED';
  if (to === payment.status) return;
  await changePayment(em, { payment: { customerId, id, status: payment.status }, to });
}
