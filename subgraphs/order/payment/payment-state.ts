import type { EntityManager } from '@mikro-orm/postgresql';
import { namedParameters } from '../../shared/database/named-parameters.js';
import { sqlPrepared } from '../../shared/database/sql.js';
import { transact } from '../../shared/database/transact.js';
import { newId } from '../../shared/ids.js';
import type { OrderApp } from '../context.js';
import type { OrderEventType } from '../order/order-event.js';
import { assertTransition } from '../state-machine.js';
import type { Payment } from './payment.js';
import type { PaymentRef, ProviderPayment } from './provider/payment-provider.js';
import { type PaymentStatus, paymentTransitions } from './status.js';

/** The payment in the form that its provider expects. */
export const toPaymentRef = (payment: Payment): PaymentRef => ({
  paymentId: payment.id,
  amount: payment.amountValue,
  currencyCode: payment.currencyCode,
  method: payment.method,
  transactionId: payment.providerTransactionId,
});

export interface Step {
  readonly to: PaymentStatus;
  readonly transactionId?: string | null;
  /** why it was declined */
  readonly reason?: string;
  /** whether a step is left to do afterwards */
  readonly due?: boolean;
}

const reasonMaxLength = 255;
const dueAfterMs = 5000;
const actor = 'payments';

const eventTypeOf: Readonly<Record<PaymentStatus, OrderEventType | null>> = {
  PENDING: null,
  AUTHORIZED: 'PAYMENT_AUTHORIZED',
  COMPLETED: 'PAYMENT_COMPLETED',
  FAILED: 'PAYMENT_FAILED',
  VOIDED: 'PAYMENT_VOIDED',
  REFUNDED: null,
};

/**
 * Changes the status of a payment, if it is still the one that was read, adds the entry in the
 * history, and runs `afterStep` in the same transaction.
 *
 * @returns whether this call changed it
 * @throws AssertionFailed for a step that `paymentTransitions` does not have
 */
export function recordStep(
  app: OrderApp,
  payment: Payment,
  step: Step,
  afterStep?: (em: EntityManager) => Promise<unknown>,
): Promise<boolean> {
  assertTransition(paymentTransitions, payment.status, step.to);
  const em = app.orm.em.fork();
  if (!afterStep) return updatePayment(em, payment, step);
  return transact(em, async (tx) => {
    const changed = await updatePayment(tx, payment, step);
    if (changed) await afterStep(tx);
    return changed;
  });
}

async function updatePayment(em: EntityManager, payment: Payment, step: Step): Promise<boolean> {
  const { to, transactionId = null, due = false } = step;
  const reason = step.reason?.slice(0, reasonMaxLength) ?? null;
  const values = updateParameters.values({
    payment_id: payment.id,
    from_status: payment.status,
    to_status: to,
    transaction_id: transactionId,
    reason,
    is_due: due,
    due_after_ms: dueAfterMs,
    event_id: newId(),
    event_type: eventTypeOf[to],
    actor,
  });
  const changed = await sqlPrepared(em, updatePaymentSql, values);
  return changed.length > 0;
}

const updateParameters = namedParameters({
  payment_id: 'uuid',
  from_status: 'text',
  to_status: 'text',
  transaction_id: 'text',
  reason: 'text',
  is_due: 'boolean',
  due_after_ms: 'float8',
  event_id: 'uuid',
  event_type: 'text',
  actor: 'text',
});
const { sql: parameters } = updateParameters;
const updatePaymentSql = `
  with changed as (
    update payment set status = ${parameters.to_status}, updated_at = now(), client_secret = null,
      provider_transaction_id = coalesce(${parameters.transaction_id}, provider_transaction_id),
      decline_reason = coalesce(${parameters.reason}, decline_reason),
      next_attempt_at = case when ${parameters.is_due}
        then greatest(next_attempt_at, now() + ${parameters.due_after_ms} * interval '1 ms') end
    where id = ${parameters.payment_id} and status = ${parameters.from_status} returning order_id
  ), history as (
    insert into order_event (id, order_id, type, actor, reason)
    select ${parameters.event_id}, order_id, ${parameters.event_type}, ${parameters.actor},
      ${parameters.reason}
    from changed where ${parameters.event_type} is not null
  )
  select order_id from changed`;

/** Records the transaction id, and the client secret if the customer has to act. */
export async function recordPendingAction(
  app: OrderApp,
  paymentId: string,
  answer: ProviderPayment,
): Promise<void> {
  const clientSecret = answer.status === 'actionRequired' ? answer.clientSecret : null;
  await sqlPrepared(
    app.orm.em.fork(),
    `update payment set provider_transaction_id = $2, client_secret = $3, updated_at = now()
     where id = $1 and status = 'PENDING'`,
    [paymentId, answer.transactionId, clientSecret],
  );
}
