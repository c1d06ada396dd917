import type { EntityManager } from '@mikro-orm/postgresql';
import { namedParameters } from '../../../shared/database/named-parameters.js';
import { sql } from '../../../shared/database/sql.js';
import { newId } from '../../../shared/ids.js';
import type { OrderEventType } from '../../order/order-event.js';
import { assertTransition } from '../../state-machine.js';
import { changePayment } from './change-payments.js';
import type { PaymentStatus, RefundStatus } from './status.js';
import { refundTransitions } from './status.js';

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
  paymentId: string,
  changes: readonly RefundChange[],
): Promise<boolean[]> {
  const values = changeParameters.values({ change: changes.map(toRow) });
  const rows = await sql<{ id: string }>(em, changeRefundsSql, values);
  const changed = new Set(rows.map(({ id }) => id));
  if (changed.size > 0) await setRefundedStatus(em, paymentId);
  return changes.map(({ refund }) => changed.has(refund.id));
}

/** As `changeRefunds`, for one refund. */
export async function changeRefund(
  em: EntityManager,
  paymentId: string,
  change: RefundChange,
): Promise<boolean> {
  return (await changeRefunds(em, paymentId, [change]))[0] === true;
}

function toRow({ refund, to, providerRefundId, reason, actor }: RefundChange) {
  assertTransition(refundTransitions, refund.status, to);
  return {
    id: refund.id,
    from_status: refund.status,
    to_status: to,
    provider_refund_id: providerRefundId ?? null,
    failure_reason: to === 'FAILED' ? (reason ?? 'unknown').slice(0, reasonMaxLength) : null,
    event_id: newId(),
    event_type: eventTypes[to],
    actor: actor ?? 'payments',
    reason: reason ?? null,
  };
}

const changeParameters = namedParameters({
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
  },
});

const changeRefundsSql = `
  with change as (
    select * from ${changeParameters.sql.change}
  ), changed as (
    update refund r set status = change.to_status, failure_reason = change.failure_reason,
      provider_refund_id = case when change.to_status = 'PENDING' then null
        else coalesce(change.provider_refund_id, r.provider_refund_id) end,
      attempt = case when change.to_status = 'PENDING' then r.attempt + 1 else r.attempt end,
      attempts = 0, next_attempt_at = now(), updated_at = now()
    from change where r.id = change.id and r.status = change.from_status
    returning r.id, r.payment_id, r.shop_order_id, r.amount
  ), history as (
    insert into order_event (id, order_id, shop_order_id, type, actor, reason)
    select event_id, p.order_id, shop_order_id, event_type, actor,
      concat_ws(': ', changed.amount || ' ' || p.currency_code, reason)
    from changed join change using (id) join payment p on p.id = payment_id
    where event_type is not null
  )
  select id from changed`;

/** Sets the status of a payment whose refunds changed. In a transaction that holds its lock. */
export async function setRefundedStatus(em: EntityManager, paymentId: string): Promise<void> {
  const [payment] = await sql<{ status: PaymentStatus; isRefunded: boolean }>(
    em,
    `select status, amount = (select coalesce(sum(amount), 0) from refund
       where payment_id = p.id and status = 'COMPLETED') as "isRefunded"
     from payment p where id = $1`,
    [paymentId],
  );
  if (!payment || !['COMPLETED', 'REFUNDED'].includes(payment.status)) return;
  const to = payment.isRefunded ? 'REFUNDED' : 'COMPLETED';
  if (to === payment.status) return;
  await changePayment(em, { payment: { id: paymentId, status: payment.status }, to });
}
