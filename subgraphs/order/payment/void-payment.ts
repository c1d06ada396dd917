import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../shared/database/sql.js';
import { transact } from '../../shared/database/transact.js';
import { failPoint } from '../../shared/resilience/fail-point.js';
import type { OrderApp } from '../context.js';
import { endPending } from '../order/transitions/end-pending.js';
import type { Payment } from './payment.js';
import { recordStep, toPaymentRef } from './payment-state.js';
import { PermanentRefusal, type ProviderPayment } from './provider/payment-provider.js';
import { requestRefund } from './refund.js';

const tooLate = 'paid too late, or paid twice';

/**
 * Voids a payment to which nothing was sold. If it was captured nevertheless, it is refunded, once.
 *
 * @param to `VOIDED`, or `FAILED` for a payment that was never authorized
 * @returns whether this call changed the payment
 */
export async function voidPayment(
  app: OrderApp,
  payment: Payment,
  to: 'VOIDED' | 'FAILED',
): Promise<boolean> {
  const transactionId = payment.providerTransactionId;
  const known = await voidAtProvider(app, payment);
  if (known !== 'captured') return recordStep(app, payment, { to, transactionId });
  if (payment.status === 'PENDING') {
    return recordStep(app, payment, { to: 'AUTHORIZED', transactionId, due: true });
  }
  return recordStep(app, payment, { to: 'COMPLETED' }, (em) => refundAll(em, payment));
}

/**
 * @returns `captured` if it is too late to void
 * @throws if it is neither voided nor captured, to be retried
 */
async function voidAtProvider(app: OrderApp, payment: Payment): Promise<'voided' | 'captured'> {
  try {
    await app.provider.void(toPaymentRef(payment));
    failPoint('payment voided, not recorded');
    return 'voided';
  } catch (error) {
    if (!(error instanceof PermanentRefusal)) throw error;
    const known = await app.provider.lookUp(toPaymentRef(payment));
    if (!known || known.status === 'declined' || known.status === 'voided') return 'voided';
    if (known.status === 'captured') return 'captured';
    throw error;
  }
}

/** Requests the refund of a whole payment, in the transaction of `em`. */
export const refundAll = (em: EntityManager, { id: paymentId }: Payment) =>
  requestRefund(em, { paymentId, shopOrderId: null, amount: null, reason: tooLate });

/**
 * Cleans up after a failed or voided payment: cancels the order of a checkout with a payment method,
 * and reverses what the provider did nevertheless. Afterwards nothing is left to do, until a webhook
 * reports the payment again.
 */
export async function finalizeFailed(app: OrderApp, payment: Payment): Promise<boolean> {
  if (!payment.nextAttemptAt) return false;
  if (payment.status === 'FAILED' && payment.endsOrder)
    await cancelFailedCheckout(app, payment.orderId);
  const mayBeKnown = payment.providerTransactionId !== null || payment.attempts > 0;
  const known = mayBeKnown ? await app.provider.lookUp(toPaymentRef(payment)) : null;
  await reverseAtProvider(app, payment, known);
  // A webhook that came meanwhile has set an earlier time, and is processed on its own.
  await sql(
    app.orm.em.fork(),
    `update payment set next_attempt_at = null
     where id = $1 and status = $2 and next_attempt_at > now()`,
    [payment.id, payment.status],
  );
  return false;
}

async function reverseAtProvider(
  app: OrderApp,
  payment: Payment,
  known: ProviderPayment | null,
): Promise<void> {
  const live = known && ['authorized', 'actionRequired', 'pending'].includes(known.status);
  const transactionId = payment.providerTransactionId ?? known?.transactionId ?? null;
  const found = { ...payment, providerTransactionId: transactionId };
  const end = live ? await voidAtProvider(app, found) : known?.status;
  if (end !== 'captured') return;
  await transact(app.orm.em, async (em) => {
    await refundAll(em, payment);
    await sql(em, 'update payment set provider_transaction_id = $2 where id = $1', [
      payment.id,
      transactionId,
    ]);
  });
}

/** Releases the reservation and cancels the order, unless another payment committed it first. */
async function cancelFailedCheckout(app: OrderApp, orderId: string): Promise<void> {
  const { state } = await app.reservations.release(orderId, 'PAYMENT_FAILED');
  failPoint('reservation released, order not cancelled');
  if (state === 'COMMITTED') return;
  const reason = state === 'EXPIRED' ? 'PAYMENT_TIMEOUT' : 'PAYMENT_FAILED';
  await endPending(app.orm.em, orderId, { status: 'CANCELLED', reason });
}
