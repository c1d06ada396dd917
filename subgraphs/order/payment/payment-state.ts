import type { EntityManager } from '@mikro-orm/postgresql';
import { sqlPrepared } from '../../shared/database/sql.js';
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
  return em.transactional(async (tx) => {
    const changed = await updatePayment(tx, payment, step);
    if (changed) await afterStep(tx);
    return changed;
  });
}

async function updatePayment(em: EntityManager, payment: Payment, step: Step): Promise<boolean> {
  const { to, transactionId = null, due = false } = step;
  const reason = step.reason?.slice(0, reasonMaxLength) ?? null;
  const changed = await sqlPrepared(
    em,
    `with changed as (
       update payment set status = $3, updated_at = now(), client_secret = null,
         provider_transaction_id = coalesce($4, provider_transaction_id),
         decline_reason = coalesce($5, decline_reason),
         next_attempt_at = case when $6 then greatest(next_attempt_at, now() + $7 * interval '1 ms') end
       where id = $1 and status = $2 returning order_id
     ), history as (
       insert into order_event (id, order_id, type, actor, reason)
       select $8::uuid, order_id, $9, $10, $5 from changed where $9::text is not null
     )
     select order_id from changed`,
    [
      ...[payment.id, payment.status, to, transactionId, reason, due, dueAfterMs],
      ...[newId(), eventTypeOf[to], actor],
    ],
  );
  return changed.length > 0;
}

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
