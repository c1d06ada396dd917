import type { EntityManager } from '@mikro-orm/postgresql';
import { sqlPrepared } from '../../shared/database/sql.js';
import { newId } from '../../shared/ids.js';
import type { OrderApp } from '../context.js';
import type { OrderEventType } from '../order/order-event.js';
import type { Payment, PaymentStatus } from './payment.js';
import type { PaymentRef, ProviderPayment } from './provider/payment-provider.js';

/** A payment as its provider knows it. */
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
  /** whether something is left to do behind it */
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
 * Takes a payment one arrow further, if it still stands where it was read, with its line in the
 * history and what else follows from it (`afterStep`), in one commit.
 *
 * @returns whether this call took it
 */
export function recordStep(
  app: OrderApp,
  payment: Payment,
  step: Step,
  afterStep?: (em: EntityManager) => Promise<unknown>,
): Promise<boolean> {
  const em = app.orm.em.fork();
  if (!afterStep) return updatePayment(em, payment, step);
  return em.transactional(async (tx) => {
    const taken = await updatePayment(tx, payment, step);
    if (taken) await afterStep(tx);
    return taken;
  });
}

async function updatePayment(em: EntityManager, payment: Payment, step: Step): Promise<boolean> {
  const { to, transactionId = null, due = false } = step;
  const reason = step.reason?.slice(0, reasonMaxLength) ?? null;
  const taken = await sqlPrepared(
    em,
    `with taken as (
       update payment set status = $3, updated_at = now(), client_secret = null,
         provider_transaction_id = coalesce($4, provider_transaction_id),
         decline_reason = coalesce($5, decline_reason),
         next_attempt_at = case when $6 then greatest(next_attempt_at, now() + $7 * interval '1 ms') end
       where id = $1 and status = $2 returning order_id
     ), history as (
       insert into order_event (id, order_id, type, actor, reason)
       select $8::uuid, order_id, $9, $10, $5 from taken where $9::text is not null
     )
     select order_id from taken`,
    [
      ...[payment.id, payment.status, to, transactionId, reason, due, dueAfterMs],
      ...[newId(), eventTypeOf[to], actor],
    ],
  );
  return taken.length > 0;
}

/** Writes down what a payment that is not decided yet waits for. */
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
