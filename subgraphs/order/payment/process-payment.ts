import { requireById } from '../../shared/database/require-by-id.js';
import { failPoint } from '../../shared/resilience/fail-point.js';
import type { OrderApp } from '../context.js';
import { Order } from '../order/order.js';
import { endPending } from '../order/transitions/end-pending.js';
import { cancelAllUnits, cancelUncapturable } from './cancel-uncapturable.js';
import { Payment } from './payment.js';
import { recordPendingAction, recordStep, toPaymentRef } from './payment-state.js';
import { PermanentRefusal, type ProviderPayment } from './provider/payment-provider.js';
import { finalizeFailed, refundAll, voidPayment } from './void-payment.js';

// PENDING → AUTHORIZED → COMPLETED, or voided and finalized; and steps that another process did first.
const stepsMax = 6;

/**
 * Processes a payment as far as possible: authorize → commit the reservation → capture, or the
 * reversal. Every step can be repeated by any process, so that another process completes what one left
 * half-way. SQL guards each transition. No transaction is open during a call to the provider or the
 * warehouse subgraph.
 *
 * @returns the payment afterwards; still PENDING or AUTHORIZED if the provider or the warehouse did not respond
 */
export async function processPayment(app: OrderApp, paymentId: string): Promise<Payment> {
  try {
    for (let step = 0; step < stepsMax; step++) {
      if (!(await takeStep(app, await readPayment(app, paymentId)))) break;
    }
  } catch (error) {
    app.logger.warn({ err: error, paymentId }, 'payment stopped half-way; it will be retried');
  }
  return readPayment(app, paymentId);
}

/** @returns whether another step may follow: this one is done, here or by another process */
function takeStep(app: OrderApp, payment: Payment): Promise<boolean> {
  switch (payment.status) {
    case 'PENDING':
      return authorize(app, payment);
    case 'AUTHORIZED':
      return commitAndCapture(app, payment);
    case 'FAILED':
    case 'VOIDED':
      return finalizeFailed(app, payment);
    default:
      return Promise.resolve(false);
  }
}

/**
 * A payment that the provider may know is looked up first: providers keep an idempotency key for about
 * a day only.
 */
async function authorizeOrLookUp(
  { provider }: OrderApp,
  payment: Payment,
): Promise<ProviderPayment> {
  const ref = toPaymentRef(payment);
  const mayBeKnown = payment.attempts > 0 || payment.providerTransactionId !== null;
  return (mayBeKnown && (await provider.lookUp(ref))) || provider.authorize(ref);
}

async function authorize(app: OrderApp, payment: Payment): Promise<boolean> {
  const answer = await authorizeOrLookUp(app, payment).catch((error): ProviderPayment => {
    // A retry would be refused again.
    if (!(error instanceof PermanentRefusal)) throw error;
    return { status: 'declined', transactionId: null, reason: error.message };
  });
  failPoint('payment authorized, not recorded');
  const { transactionId } = answer;
  switch (answer.status) {
    case 'authorized':
    case 'captured':
      await recordStep(app, payment, { to: 'AUTHORIZED', transactionId, due: true });
      return true;
    case 'declined': {
      const { reason } = answer;
      const due = payment.endsOrder;
      await recordStep(app, payment, { to: 'FAILED', transactionId, reason, due });
      return true;
    }
    case 'voided':
      await recordStep(app, payment, { to: 'FAILED', transactionId, due: payment.endsOrder });
      return true;
    default: {
      const known = { ...payment, providerTransactionId: transactionId };
      if (!(await isPayable(app, payment.orderId))) {
        await voidPayment(app, known, 'FAILED');
        return true;
      }
      await recordPendingAction(app, payment.id, answer);
      return false;
    }
  }
}

async function isPayable(app: OrderApp, orderId: string): Promise<boolean> {
  const order = await requireById(app.orm.em, Order, orderId);
  return order.status === 'PENDING';
}

/**
 * The reservation decides: only the payment that commits it is captured. If units of it are missing, as a
 * count has shown, the order is cancelled as out of stock, and the authorization is voided.
 */
async function commitAndCapture(app: OrderApp, payment: Payment): Promise<boolean> {
  failPoint('payment authorized, reservation not committed');
  const reservation = await app.reservations.commit(payment.orderId, payment.id);
  failPoint('reservation committed, response lost');
  if (reservation.state !== 'COMMITTED' || reservation.paymentId !== payment.id) {
    // The event about the reservation would do the same a moment later.
    if (reservation.reason === 'OUT_OF_STOCK') await cancelOutOfStock(app, payment.orderId);
    await voidPayment(app, payment, 'VOIDED');
    return true;
  }
  try {
    await app.provider.capture(toPaymentRef(payment));
  } catch (error) {
    if (!(error instanceof PermanentRefusal)) throw error;
    const known = await app.provider.lookUp(toPaymentRef(payment));
    if (known?.status !== 'captured') {
      await cancelUncapturable(app, payment, error.message);
      return true;
    }
  }
  failPoint('payment captured, not recorded');
  await recordCaptured(app, payment);
  return false;
}

const cancelOutOfStock = ({ orm }: OrderApp, orderId: string) =>
  endPending(orm.em, orderId, { status: 'CANCELLED', reason: 'OUT_OF_STOCK', actor: 'warehouse' });

/**
 * The payment is captured: the payment and its order change in one commit. If the order is no longer
 * pending, which should be impossible, the payment is refunded and the units can be sold again.
 */
function recordCaptured(app: OrderApp, payment: Payment): Promise<boolean> {
  const { orderId } = payment;
  return recordStep(app, payment, { to: 'COMPLETED' }, async (em) => {
    if (await endPending(em, orderId, { status: 'CONFIRMED' })) return;
    app.logger.error({ orderId }, 'paid order was not pending; refunding it');
    await refundAll(em, payment);
    await cancelAllUnits(em, orderId);
  });
}

const readPayment = (app: OrderApp, id: string) => requireById(app.orm.em, Payment, id);
