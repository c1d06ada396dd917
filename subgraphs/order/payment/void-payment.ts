import type { EntityManager } from '@mikro-orm/postgresql';
import { transact } from '../../shared/database/transact.js';
import { failPoint } from '../../shared/resilience/fail-point.js';
import type { OrderApp } from '../context.js';
import { endPending } from '../order/transitions/end-pending.js';
import { clearDue } from './clear-due.js';
import { followSettled } from './follow-settled.js';
import { stepMaxMs } from './payment-ref.js';
import { changePayment } from './state/change-payments.js';
import type { Payment } from './state/payment.js';
import { requestRefund } from './state/request-refund.js';
import type { PaymentFailure } from './state/status.js';

const tooLate = 'paid too late, or paid twice';

/**
 * Ends a payment to which nothing was sold, at the provider and here. One that was captured nevertheless
 * is refunded, once.
 *
 * @param to `VOIDED` for an authorized payment, `FAILED` for a pending one
 * @returns whether this call changed the payment
 * @throws an error if it cannot be ended yet, to be retried
 */
export async function voidPayment(
  app: OrderApp,
  payment: Payment,
  ...[to, failure]: ['VOIDED'] | ['FAILED', PaymentFailure]
): Promise<boolean> {
  const em = app.orm.em.fork();
  const isCaptured = (await cancelAtProvider(app, payment)) === 'captured';
  if (!isCaptured) {
    return changePayment(em, to === 'FAILED' ? { payment, to, failure } : { payment, to });
  }
  if (payment.status === 'PENDING') {
    const dueAfterMs = stepMaxMs(app.providers.of(payment.provider).timeLimitMs);
    return changePayment(em, { payment, to: 'AUTHORIZED', dueAfterMs });
  }
  return transact(em, async (tx) => {
    const changed = await changePayment(tx, { payment, to: 'COMPLETED' });
    if (changed) await refundAll(tx, payment);
    return changed;
  });
}

/**
 * @returns `captured` if it is too late to cancel it
 * @throws an error if it is neither canceled nor captured
 */
async function cancelAtProvider(
  { providers }: OrderApp,
  { provider, providerTransactionId: transactionId }: Payment,
): Promise<'canceled' | 'captured'> {
  // What was perhaps created without a known id was not confirmed; reconciliation cancels it.
  if (transactionId === null) return 'canceled';
  const { status } = await providers.of(provider).cancel(transactionId);
  failPoint('payment voided, not recorded');
  if (status === 'captured' || status === 'canceled') return status;
  throw new Error(`the payment ${transactionId} is ${status} after it was canceled`);
}

/** Requests the refund of a whole payment, in the transaction of `em`. */
export const refundAll = (em: EntityManager, { id: paymentId }: Payment) =>
  requestRefund(em, { paymentId, shopOrderId: null, amount: null, reason: tooLate });

/**
 * Ends a failed or voided payment at the provider, so that nobody can complete it later. If it was captured
 * nevertheless, it is refunded. Afterwards nothing is left to do, until a webhook reports the payment again.
 */
export async function closeAtProvider(app: OrderApp, payment: Payment): Promise<void> {
  if ((await cancelAtProvider(app, payment)) !== 'captured') return clearDue(app, payment);
  await transact(app.orm.em, (em) => refundAll(em, payment));
  await followSettled(app, payment);
}

/**
 * The payment of a checkout that pays at once was declined, or names an unknown method: releases the reservation and cancels the order,
 * unless another payment committed it first.
 */
export async function cancelDeclinedCheckout(app: OrderApp, orderId: string): Promise<void> {
  const { state } = await app.reservations.release(orderId, 'PAYMENT_FAILED');
  failPoint('reservation released, order not cancelled');
  if (state === 'COMMITTED') return;
  const reason = state === 'EXPIRED' ? 'PAYMENT_TIMEOUT' : 'PAYMENT_FAILED';
  await endPending(app.orm.em, orderId, { to: 'CANCELLED', reason });
}
