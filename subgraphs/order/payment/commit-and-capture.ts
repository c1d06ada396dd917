import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../shared/database/sql.js';
import { transact } from '../../shared/database/transact.js';
import { failPoint } from '../../shared/resilience/fail-point.js';
import type { OrderApp } from '../context.js';
import { endPending } from '../order/transitions/end-pending.js';
import { announceCancelled } from '../warehouse-client/announce-units.js';
import { toPaymentRef } from './payment-ref.js';
import { PermanentRefusal, type ProviderPayment } from './provider/payment-provider.js';
import { changePayment, type PaymentChange } from './state/change-payments.js';
import type { Payment } from './state/payment.js';
import { refundAll, voidPayment } from './void-payment.js';

/**
 * The reservation decides: only the payment that commits it is captured, any other is voided. If units of it
 * are missing, as a count has shown, the order is cancelled as out of stock, and the authorization is voided.
 *
 * @returns whether the status of the payment may have changed
 */
export async function commitAndCapture(app: OrderApp, payment: Payment): Promise<boolean> {
  failPoint('payment authorized, reservation not committed');
  const reservation = await app.reservations.commit(payment.orderId, payment.id);
  failPoint('reservation committed, response lost');
  if (reservation.state !== 'COMMITTED' || reservation.paymentId !== payment.id) {
    // The event about the reservation would do the same a moment later.
    if (reservation.reason === 'OUT_OF_STOCK') await cancelOutOfStock(app, payment.orderId);
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
async function capture(app: OrderApp, payment: Payment): Promise<ProviderPayment> {
  const provider = app.providers.of(payment.provider);
  const transactionId = payment.providerTransactionId as string;
  try {
    return await provider.capture(toPaymentRef(payment, transactionId));
  } catch (error) {
    if (!(error instanceof PermanentRefusal)) throw error;
    const known = await provider.lookUp(transactionId);
    if (known.status !== 'authorized') return known;
    return { transactionId, status: 'declined', reason: error.message };
  }
}

const cancelOutOfStock = ({ orm }: OrderApp, orderId: string) =>
  endPending(orm.em, orderId, { to: 'CANCELLED', reason: 'OUT_OF_STOCK', actor: 'warehouse' });

/**
 * The payment is captured: the payment and its order change in one commit. If the order is no longer
 * pending, which should be impossible, the payment is refunded and the units can be sold again.
 */
function recordCaptured(app: OrderApp, payment: Payment): Promise<boolean> {
  const { orderId } = payment;
  return transact(app.orm.em, async (em) => {
    if (!(await changePayment(em, { payment, to: 'COMPLETED' }))) return false;
    if (await endPending(em, orderId, { to: 'CONFIRMED' })) return true;
    app.logger.error({ orderId }, 'paid order was not pending; refunding it');
    await refundAll(em, payment);
    await cancelAllUnits(em, orderId);
    return true;
  });
}

/**
 * The compensation of a commit without a capture: the order is cancelled and its units can be sold again, in
 * one commit with the end of the payment.
 */
function cancelUncaptured(app: OrderApp, change: PaymentChange & { payment: Payment }) {
  const { orderId } = change.payment;
  return transact(app.orm.em, async (em) => {
    if (!(await changePayment(em, change))) return false;
    const end = { to: 'CANCELLED', reason: 'PAYMENT_FAILED' } as const;
    if (await endPending(em, orderId, end)) await cancelAllUnits(em, orderId);
    return true;
  });
}

/** Makes all units of an order available again, in the transaction of `em`. */
async function cancelAllUnits(em: EntityManager, orderId: string): Promise<void> {
  const shopOrders = await sql<{ id: string }>(
    em,
    'select id from shop_order where order_id = $1',
    [orderId],
  );
  const shopOrderIds = shopOrders.map(({ id }) => id);
  await announceCancelled(em, shopOrderIds, { reason: 'PAYMENT_FAILED' });
}
