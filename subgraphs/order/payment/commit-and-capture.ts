import type { EntityManager } from '@mikro-orm/postgresql';
import { transact } from '../../shared/database/transact.js';
import { failPoint } from '../../shared/resilience/fail-point.js';
import { lockOrder } from '../locks.js';
import { cancelAllUnits } from '../order/transitions/cancel-units.js';
import { endPending } from '../order/transitions/end-pending.js';
import { orderKeyOf, type RowKey } from '../row-key.js';
import { announceCancelled } from '../warehouse-client/announce-units.js';
import type { PaymentApp } from './payment-app.js';
import { toPaymentRef } from './payment-ref.js';
import { PermanentRefusal, type ProviderPayment } from './provider/payment-provider.js';
import { changePayment, type PaymentChange } from './state/change-payments.js';
import type { Payment } from './state/payment.js';
import { goOn, type StepResult } from './step-result.js';
import { refundAll, voidPayment } from './void-payment.js';

/**
 * The reservation decides: only the payment that commits it is captured, any other is voided. If units of it
 * are missing, as a count has shown, the order is cancelled as out of stock, and the authorization is voided.
 */
export async function commitAndCapture(app: PaymentApp, payment: Payment): Promise<StepResult> {
  failPoint('payment authorized, reservation not committed');
  const reservation = await app.reservations.commit(payment.orderId, payment.id);
  failPoint('reservation committed, response lost');
  if (reservation.state !== 'COMMITTED' || reservation.paymentId !== payment.id) {
    // The event about the reservation would do the same a moment later.
    if (reservation.reason === 'OUT_OF_STOCK') await cancelOutOfStock(app, orderKeyOf(payment));
    return voidPayment(app, payment, 'VOIDED');
  }
  const { status, hasLapsed, reason } = await capture(app, payment);
  failPoint('payment captured, not recorded');
  switch (status) {
    case 'captured':
      return recordCaptured(app, payment);
    case 'canceled':
      // By its age, or by a person at the provider.
      return cancelUncaptured(
        app,
        hasLapsed ? { payment, to: 'FAILED', failure: 'LAPSED' } : { payment, to: 'VOIDED' },
      );
    case 'declined':
      return cancelUncaptured(app, {
        ...{ payment, to: 'FAILED', failure: 'CAPTURE_REFUSED', reason },
        dueAfterMs: 0,
      });
    default:
      throw new Error(`the payment ${payment.id} is ${status} after its capture`);
  }
}

/** @returns the state afterwards; `declined` if the capture is refused permanently */
async function capture(app: PaymentApp, payment: Payment): Promise<ProviderPayment> {
  const provider = app.providers.of(payment.provider);
  const transactionId = payment.providerTransactionId as string;
  try {
    return await provider.capture(toPaymentRef(payment, transactionId));
  } catch (error) {
    if (!(error instanceof PermanentRefusal)) throw error;
    const known = await provider.lookUp(transactionId);
    if (known.status !== 'authorized') return known;
    app.faults.record(payment, error);
    return { transactionId, status: 'declined', reason: error.message };
  }
}

const cancelOutOfStock = ({ orm }: PaymentApp, order: RowKey) =>
  endPending(orm.em, order, { to: 'CANCELLED', reason: 'OUT_OF_STOCK', actor: 'warehouse' });

/** The payment is captured: the payment and its order change in one commit. */
async function recordCaptured(app: PaymentApp, payment: Payment): Promise<StepResult> {
  const confirmed = await app.paymentWrites.confirm(payment);
  return confirmed ? { ...confirmed, goesOn: false } : recordUnsold(app, payment);
}

/**
 * The compensation of a capture that sold nothing, as its order is no longer pending, which should be
 * impossible: the payment is refunded and the units can be sold again.
 */
async function recordUnsold(app: PaymentApp, payment: Payment): Promise<StepResult> {
  const order = orderKeyOf(payment);
  const completed = await transact(app.orm.em, async (em) => {
    const changed = await changePayment(em, { payment, to: 'COMPLETED' });
    if (!changed || (await endPending(em, order, { to: 'CONFIRMED' }))) return changed;
    app.logger.error({ orderId: order.id }, 'paid order was not pending; refunding it');
    await refundAll(em, payment);
    await releaseUnits(em, order);
    return changed;
  });
  return goOn(app, completed, payment);
}

/**
 * The compensation of a commit without a capture: the order is cancelled and its units can be sold again, in
 * one commit with the end of the payment.
 */
async function cancelUncaptured(app: PaymentApp, change: PaymentChange & { payment: Payment }) {
  const order = orderKeyOf(change.payment);
  const ended = await transact(app.orm.em, async (em) => {
    const changed = await changePayment(em, change);
    const end = { to: 'CANCELLED', reason: 'PAYMENT_FAILED' } as const;
    if (changed && (await endPending(em, order, end))) await releaseUnits(em, order);
    return changed;
  });
  return goOn(app, ended, change.payment);
}

/** Makes all units of an order available again, in the transaction of `em`. */
async function releaseUnits(em: EntityManager, order: RowKey): Promise<void> {
  const { shopOrders } = await lockOrder(em, order);
  const cancelled = await cancelAllUnits(
    em,
    order.customerId,
    shopOrders.map(({ id }) => id),
  );
  await announceCancelled(em, cancelled, { reason: 'PAYMENT_FAILED' });
}
