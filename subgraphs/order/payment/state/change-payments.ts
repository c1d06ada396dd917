import type { EntityManager } from '@mikro-orm/postgresql';
import { firstOfEach } from '../../../shared/batching/first-of-each.js';
import { columnsOf } from '../../../shared/database/columns.js';
import { namedParameters } from '../../../shared/database/named-parameters.js';
import { sqlPrepared } from '../../../shared/database/sql.js';
import { statement } from '../../../shared/database/statement.js';
import { newId } from '../../../shared/ids.js';
import type { OrderEventType } from '../../order/order-event.js';
import { markPaymentsDue } from '../../order/payment-signals.js';
import { assertTransition } from '../../state-machine.js';
import type { PaymentDeclineCode } from '../provider/decline-code.js';
import { Payment } from './payment.js';
import { storeTransactionsSql } from './provider-transaction.js';
import {
  isAttemptSql,
  type PaymentFailure,
  type PaymentStatus,
  paymentTransitions,
} from './status.js';

export type PaymentChange = {
  /** as it was read: a payment with another status by now is left as it is */
  readonly payment: Pick<Payment, 'customerId' | 'id' | 'status'> &
    Partial<Pick<Payment, 'providerTransactionId'>>;
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
 * @returns each payment as it is afterwards; null for one that was left as it is
 * @throws AssertionFailed for a transition that `paymentTransitions` does not have
 */
export async function changePayments(
  em: EntityManager,
  changes: readonly PaymentChange[],
): Promise<(Payment | null)[]> {
  const firsts = firstOfEach(changes, ({ payment }) => payment.id);
  const values = changeParameters.values({ change: firsts.map(toPaymentRow) });
  const text = firsts.some(hasNewTransaction) ? changeAndStoreSql(em) : changePaymentsSql(em);
  const rows = await sqlPrepared<{ id: string }>(em, text, values);
  const changed = new Map(rows.map((row) => [row.id, em.fork().map(Payment, row)]));
  const due = changes.filter(({ dueAfterMs }) => dueAfterMs === 0).map(({ payment }) => payment.id);
  markPaymentsDue(
    em,
    due.filter((id) => changed.has(id)),
  );
  return changes.map((change) =>
    firsts.includes(change) ? (changed.get(change.payment.id) ?? null) : null,
  );
}

/** Whether the change stores a provider’s id that the payment does not have: rarely, as its creation stores it. */
const hasNewTransaction = ({ payment, transactionId }: PaymentChange) =>
  typeof transactionId === 'string' && transactionId !== payment.providerTransactionId;

/** As `changePayments`, for one payment. */
export async function changePayment(
  em: EntityManager,
  change: PaymentChange,
): Promise<Payment | null> {
  return (await changePayments(em, [change]))[0] ?? null;
}

/** @throws AssertionFailed for a transition that `paymentTransitions` does not have */
export function toPaymentRow(change: PaymentChange) {
  const { payment, to, transactionId, dueAfterMs } = change;
  assertTransition(paymentTransitions, payment.status, to);
  const { failure = null, declineCode = null, reason = null } = to === 'FAILED' ? change : {};
  return {
    customer_id: payment.customerId,
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

export const paymentChangeColumns = {
  customer_id: 'uuid',
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
} as const;
const changeParameters = namedParameters({ change: paymentChangeColumns });

/**
 * SQL that changes payments, by their keys and in the order of their keys (locks.ts): the CTEs
 * `payment_change`, `locked_payment`, `changed_payment`, which has the changed rows, and `payment_history`.
 *
 * @param changes a set of rows with `paymentChangeColumns`
 * @param guard CTEs that follow the locks of the payments, and a further condition on the payment `p`
 */
export const paymentChangeCtes = (
  changes: string,
  guard: { readonly ctes: string; readonly condition: string } | null = null,
) => `
  payment_change as (
    select * from ${changes}
  ), locked_payment as materialized (
    select p.customer_id, p.id from payment p join payment_change using (customer_id, id)
    order by p.id for no key update of p
  ), ${guard ? `${guard.ctes}, ` : ''}changed_payment as (
    update payment p set status = c.to_status, updated_at = now(), client_secret = null,
      provider_transaction_id = coalesce(c.transaction_id, p.provider_transaction_id),
      attempt_slot = case when ${isAttemptSql('c')} then p.attempt_slot end,
      failure = c.failure, decline_code = coalesce(c.decline_code, p.decline_code),
      decline_reason = coalesce(c.reason, p.decline_reason),
      -- A webhook that came since the payment was read has made it due: it stays so.
      next_attempt_at = case when p.next_attempt_at <= now() then p.next_attempt_at
        else now() + c.due_after_ms * interval '1 ms' end
    from payment_change c join locked_payment using (customer_id, id)
    where p.customer_id = c.customer_id and p.id = c.id and p.status = c.from_status and ${guard?.condition ?? 'true'}
    returning p.*
  ), payment_history as (
    insert into order_event (customer_id, id, order_id, type, actor, reason)
    select p.customer_id, c.event_id, p.order_id, c.event_type, '${actor}', coalesce(c.decline_code, c.failure)
    from changed_payment p join payment_change c on c.customer_id = p.customer_id and c.id = p.id
    where c.event_type is not null
  )`;

const changePaymentsSql = statement(
  (em) => `
  with ${paymentChangeCtes(changeParameters.sql.change)}
  select ${columnsOf(em, Payment)} from changed_payment`,
);

const changeAndStoreSql = statement(
  (em) => `
  with ${paymentChangeCtes(changeParameters.sql.change)},
  stored as (${storeTransactionsSql('changed_payment')}
  )
  select ${columnsOf(em, Payment)} from changed_payment`,
);
