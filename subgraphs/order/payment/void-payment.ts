import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../shared/database/sql.js';
import { failPoint } from '../../shared/resilience/fail-point.js';
import type { OrderApp } from '../context.js';
import { endPending } from '../order/transitions/end-pending.js';
import { returnStock } from '../warehouse-client/return-stock.js';
import type { Payment } from './payment.js';
import { recordStep, toPaymentRef } from './payment-state.js';
import { PermanentRefusal, type ProviderPayment } from './provider/payment-provider.js';
import { requestRefund } from './refund.js';

const tooLate = 'it was paid too late, or was paid already';

/**
 * Lets a payment go that cannot be of use any more: nothing was sold to it. Money that was taken all
 * the same is refunded, once.
 *
 * @param to `VOIDED`, or `FAILED` for one that never was authorized
 * @returns whether this call did it
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
 * @returns `captured` where it is too late to void; throws where it is neither, to be tried again
 */
async function voidAtProvider(app: OrderApp, payment: Payment): Promise<'gone' | 'captured'> {
  try {
    await app.provider.void(toPaymentRef(payment));
    failPoint('voided, not recorded');
    return 'gone';
  } catch (error) {
    if (!(error instanceof PermanentRefusal)) throw error;
    const known = await app.provider.lookUp(toPaymentRef(payment));
    if (!known || known.status === 'declined' || known.status === 'voided') return 'gone';
    if (known.status === 'captured') return 'captured';
    throw error;
  }
}

/**
 * The stock is sold, and its money can never be taken: the order is cancelled and what was sold comes
 * back, in one commit.
 */
export function cancelUncapturable(
  app: OrderApp,
  payment: Payment,
  reason: string,
): Promise<boolean> {
  const { orderId } = payment;
  return recordStep(app, payment, { to: 'FAILED', reason, due: true }, async (em) => {
    const cancelled = await endPending(em, orderId, {
      status: 'CANCELLED',
      reason: 'PAYMENT_FAILED',
    });
    if (cancelled) await returnAllStock(em, orderId);
  });
}

/** Has all come back that was sold with an order, in the transaction of `em`. */
export async function returnAllStock(em: EntityManager, orderId: string): Promise<void> {
  const shopOrders = await sql<{ shopId: string }>(
    em,
    'select shop_id as "shopId" from shop_order where order_id = $1 order by shop_id',
    [orderId],
  );
  const back = shopOrders.map(({ shopId }) => ({ orderId, shopId, reason: 'PAYMENT_FAILED' }));
  await returnStock(em, back);
}

/** Has all of a payment go back that is no order's, in the transaction of `em`. */
export const refundAll = (em: EntityManager, { id: paymentId }: Payment) =>
  requestRefund(em, { paymentId, shopOrderId: null, amount: null, reason: tooLate });

/**
 * Ends what a payment that came to nothing left behind: the order of a one-step checkout, and what
 * the provider did with it after all. Nothing is left to do then, until there is news of it.
 */
export async function finalizeFailed(app: OrderApp, payment: Payment): Promise<boolean> {
  if (!payment.nextAttemptAt) return false;
  if (payment.status === 'FAILED' && payment.endsOrder)
    await cancelFailedCheckout(app, payment.orderId);
  const mayBeKnown = payment.providerTransactionId !== null || payment.attempts > 0;
  const known = mayBeKnown ? await app.provider.lookUp(toPaymentRef(payment)) : null;
  await reverseAtProvider(app, payment, known);
  // News that came meanwhile has set an earlier time, and is looked at for itself.
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
  await app.orm.em.fork().transactional(async (em) => {
    await refundAll(em, payment);
    await sql(em, 'update payment set provider_transaction_id = $2 where id = $1', [
      payment.id,
      transactionId,
    ]);
  });
}

/** Puts back what a one-step checkout held; a payment that committed it first keeps the order. */
async function cancelFailedCheckout(app: OrderApp, orderId: string): Promise<void> {
  const { state } = await app.reservations.release(orderId, 'PAYMENT_FAILED');
  failPoint('released, order not told');
  if (state === 'COMMITTED') return;
  const reason = state === 'EXPIRED' ? 'PAYMENT_TIMEOUT' : 'PAYMENT_FAILED';
  await app.orm.em
    .fork()
    .transactional((em) => endPending(em, orderId, { status: 'CANCELLED', reason }));
}
