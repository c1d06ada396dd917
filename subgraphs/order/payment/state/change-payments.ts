import type { EntityManager } from '@mikro-orm/postgresql';
import { namedParameters } from '../../../shared/database/named-parameters.js';
import { sqlPrepared } from '../../../shared/database/sql.js';
import { newId } from '../../../shared/ids.js';
import type { OrderEventType } from '../../order/order-event.js';
import { markPaymentsDue } from '../../order/payment-signals.js';
import { assertTransition } from '../../state-machine.js';
import type { PaymentDeclineCode } from '../provider/decline-code.js';
import type { Payment } from './payment.js';
import { type PaymentFailure, type PaymentStatus, paymentTransitions } from './status.js';

export type PaymentChange = {
  /** as it was read: a payment with another status by now is left as it is */
  readonly payment: Pick<Payment, 'id' | 'status'>;
  readonly transactionId?: string | null;
  /** when a worker takes it up, in ms from now; by default never */
  readonly dueAfterMs?: number;
} & (
  | { readonly to: Exclude<PaymentStatus, 'FAILED'> }
  | {
      readonly to: 'FAILED';
      readonly failure: PaymentFailure;
      /** of a decline */
      readonly declineCode?: PaymentDeclineCode | undefined;
      /** the provider’s words, which customers never see */
      readonly reason?: string | undefined;
    }
);

const reasonMaxLength = 255;
const actor = 'payments';

const eventTypes: Readonly<Record<PaymentStatus, OrderEventType | null>> = {
  PENDING: null,
  AUTHORIZED: 'PAYMENT_AUTHORIZED',
  COMPLETED: 'PAYMENT_COMPLETED',
  FAILED: 'PAYMENT_FAILED',
  VOIDED: 'PAYMENT_VOIDED',
  REFUNDED: null,
};

/**
 * The one writer of the status of payments: in one statement it changes payments and adds the entries in
 * the histories of their orders.
 *
 * @returns for each payment whether it was changed
 * @throws AssertionFailed for a transition that `paymentTransitions` does not have
 */
export async function changePayments(
  em: EntityManager,
  changes: readonly PaymentChange[],
): Promise<boolean[]> {
  const values = changeParameters.values({ change: changes.map(toRow) });
  const rows = await sqlPrepared<{ id: string }>(em, changePaymentsSql, values);
  const changed = new Set(rows.map(({ id }) => id));
  const due = changes.filter(
    ({ payment, dueAfterMs }) => dueAfterMs === 0 && changed.has(payment.id),
  );
  markPaymentsDue(
    em,
    due.map(({ payment }) => payment.id),
  );
  return changes.map(({ payment }) => changed.has(payment.id));
}

/** As `changePayments`, for one payment. */
export async function changePayment(em: EntityManager, change: PaymentChange): Promise<boolean> {
  return (await changePayments(em, [change]))[0] === true;
}

function toRow(change: PaymentChange) {
  const { payment, to, transactionId, dueAfterMs } = change;
  assertTransition(paymentTransitions, payment.status, to);
  const { failure = null, declineCode = null, reason = null } = to === 'FAILED' ? change : {};
  return {
    id: payment.id,
    from_status: payment.status,
    to_status: to,
    transaction_id: transactionId ?? null,
    failure,
    decline_code: declineCode,
    reason: reason?.slice(0, reasonMaxLength) ?? null,
    due_after_ms: dueAfterMs ?? null,
    event_id: newId(),
    // A payment whose refund failed was captured before.
    event_type: payment.status === 'REFUNDED' ? null : eventTypes[to],
  };
}

const changeParameters = namedParameters({
  change: {
    id: 'uuid',
    from_status: 'text',
    to_status: 'text',
    transaction_id: 'text',
    failure: 'text',
    decline_code: 'text',
    reason: 'text',
    due_after_ms: 'float8',
    event_id: 'uuid',
    event_type: 'text',
  },
});

// payment by its key, in the order of the keys (locks.ts).
const changePaymentsSql = `
  with change as (
    select * from ${changeParameters.sql.change}
  ), locked as materialized (
    select p.id from payment p join change using (id) order by p.id for no key update of p
  ), changed as (
    update payment p set status = change.to_status, updated_at = now(), client_secret = null,
      provider_transaction_id = coalesce(change.transaction_id, p.provider_transaction_id),
      failure = change.failure, decline_code = coalesce(change.decline_code, p.decline_code),
      decline_reason = coalesce(change.reason, p.decline_reason),
      -- A webhook that came since the payment was read has made it due: it stays so.
      next_attempt_at = case when p.next_attempt_at <= now() then p.next_attempt_at
        else now() + change.due_after_ms * interval '1 ms' end
    from change join locked using (id)
    where p.id = change.id and p.status = change.from_status
    returning p.id, p.order_id
  ), history as (
    insert into order_event (id, order_id, type, actor, reason)
    select event_id, order_id, event_type, '${actor}', coalesce(decline_code, failure)
    from changed join change using (id) where event_type is not null
  )
  select id from changed`;
