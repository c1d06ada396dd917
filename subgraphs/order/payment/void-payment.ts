import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../shared/database/sql.js';
import { transact } from '../../shared/database/transact.js';
import { failPoint } from '../../shared/resilience/fail-point.js';
import { lockPayment } from '../locks.js';
import { endPending } from '../order/transitions/end-pending.js';
import type { RowKey } from '../row-key.js';
import { clearDue } from './clear-due.js';
import { followSettled } from './follow-settled.js';
import type { PaymentApp } from './payment-app.js';
import { stepMaxMs } from './provider/step-max.js';
import { changePayment } from './state/change-payments.js';
import type { Payment } from './state/payment.js';
import { requestRefunds } from './state/request-refunds.js';
import type { PaymentFailure } from './state/status.js';
import { goOn, type StepResult } from './step-result.js';

const tooLate = 'paid too late, or paid twice';

/**
 * Ends a payment to which nothing was sold, at the provider and here. One that was captured nevertheless
 * is refunded, once.
 *
 * @param to `VOIDED` for an authorized payment, `FAILED` for a pending one
 * @throws an error if it cannot be ended yet, to be retried
 */
export async function voidPayment(
  app: PaymentApp,
  payment: Payment,
  ...[to, failure]: ['VOIDED'] | ['FAILED', PaymentFailure]
): Promise<StepResult> {
  const isCaptured = (await cancelAtProvider(app, payment)) === 'captured';
  if (!isCaptured) {
    const change = to === 'FAILED' ? { payment, to, failure } : { payment, to };
    return goOn(app, await app.paymentWrites.change(change), payment);
  }
  if (payment.status === 'PENDING') {
    const dueAfterMs = stepMaxMs(app.providers.of(payment.provider).timeLimitMs);
    const authorized = { payment, to: 'AUTHORIZED', dueAfterMs } as const;
    return goOn(app, await app.paymentWrites.change(authorized), payment);
  }
  const completed = await transact(app.orm.em, async (tx) => {
    const changed = await changePayment(tx, { payment, to: 'COMPLETED' });
    if (changed) await refundAll(tx, payment);
    return changed;
  });
  return goOn(app, completed, payment);
}

/**
 * @returns `captured` if it is too late to cancel it
 * @throws an error if it is neither canceled nor captured
 */
async function cancelAtProvider(
  { providers }: PaymentApp,
  { provider, providerTransactionId: transactionId }: Payment,
): Promise<'canceled' | 'captured'> {
  // What was perhaps created without a known id was not confirmed; reconciliation cancels it.
  if (transactionId === null) return 'canceled';
  const { status } = await providers.of(provider).cancel(transactionId);
  failPoint('payment voided, not recorded');
  if (status === 'captured' || status === 'canceled') return status;
  throw new Error(`the payment ${transactionId} is ${status} after it was canceled`);
}

/**
 * Requests the refund of a whole payment, in the transaction of `em`: once, since one that failed waits for an
 * admin.
 */
export async function refundAll(em: EntityManager, payment: RowKey): Promise<void> {
  await lockPayment(em, payment);
  const requested = await sql(
    em,
    `select 1 from refund where customer_id = $1 and payment_id = $2
       and origin = 'ORDER' and shop_order_id is null`,
    [payment.customerId, payment.id],
  );
  if (requested.length > 0) return;
  await requestRefunds(em, payment, [{ shopOrderId: null, amount: null, reason: tooLate }]);
}

/**
 * Ends a failed or voided payment at the provider, so that nobody can complete it later. If it was captured
 * nevertheless, it is refunded. Afterwards nothing is left to do, until a webhook reports the payment again.
 */
export async function closeAtProvider(app: PaymentApp, payment: Payment): Promise<void> {
  if ((await cancelAtProvider(app, payment)) !== 'captured') return clearDue(app, payment);
  await transact(app.orm.em, (em) => refundAll(em, payment));
  await followSettled(app, payment);
}

/**
 * The payment of a checkout that pays at once was declined, or names an unknown method: releases the
 * reservation and cancels the order, unless another payment committed it first.
 */
export async function cancelDeclinedCheckout(app: PaymentApp, order: RowKey): Promise<void> {
  const { state } = await app.reservations.release(order.id, 'PAYMENT_FAILED');
  failPoint('reservation released, order not cancelled');
  if (state === 'COMMITTED') return;
  const reason = state === 'EXPIRED' ? 'PAYMENT_TIMEOUT' : 'PAYMENT_FAILED';
  await endPending(app.orm.em, order, { to: 'CANCELLED', reason });
}
