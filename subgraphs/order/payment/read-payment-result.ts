import { requireById } from '../../shared/database/require-by-id.js';
import { result } from '../../shared/graphql/refusal.js';
import type { OrderContext } from '../context.js';
import { Order, OrderExpired } from '../order/order.js';
import { Payment } from './payment.js';
import {
  OrderNotPayable,
  PaymentActionRequired,
  PaymentDeclined,
  PaymentPending,
  PaymentSuccess,
} from './payment-result.js';
import { processPayment } from './process-payment.js';

/**
 * The current result of a payment. One that waits for the customer or their bank is looked up at the
 * provider first.
 */
export async function readPaymentResult(context: OrderContext, paymentId: string) {
  const found = await requireById(context.em, Payment, paymentId);
  const waits = found.status === 'PENDING' && found.providerTransactionId;
  return toPaymentResult(context, waits ? await processPayment(context.app, paymentId) : found);
}

/** Processes a payment as far as possible, and returns its result. */
export async function processAndReadResult(context: OrderContext, paymentId: string) {
  return toPaymentResult(context, await processPayment(context.app, paymentId));
}

async function toPaymentResult({ em }: OrderContext, payment: Payment) {
  const order = await requireById(em, Order, payment.orderId);
  switch (payment.status) {
    case 'PENDING':
      return payment.clientSecret
        ? result(PaymentActionRequired, { payment, clientSecret: payment.clientSecret })
        : result(PaymentPending, { payment });
    case 'AUTHORIZED':
      return result(PaymentPending, { payment });
    case 'COMPLETED':
      return order.status === 'CANCELLED'
        ? notPayable(order)
        : result(PaymentSuccess, { order, payment });
    case 'FAILED':
      return payment.declineReason ? declined(order, payment.declineReason) : notPayable(order);
    default:
      return notPayable(order);
  }
}

function declined(order: Order, reason: string): PaymentDeclined {
  const advice =
    order.status === 'CANCELLED' ? 'The order is cancelled' : 'Try again or use another method';
  return result(PaymentDeclined, {
    message: `The payment was declined. ${advice}.`,
    order,
    reason,
  });
}

/** The refusal for an order that cannot be paid, or no longer. */
export function notPayable(order: Order): OrderExpired | OrderNotPayable {
  const { status, cancelReason } = order;
  // A payment is voided because its reservation ended; that event may not have arrived here yet.
  if (status === 'PENDING' || cancelReason === 'PAYMENT_TIMEOUT') {
    return result(OrderExpired, {
      message: 'The payment window for this order has expired. Place a new order.',
      order,
    });
  }
  const message =
    cancelReason === 'OUT_OF_STOCK'
      ? 'Some items are out of stock after all. The order is cancelled, and nothing was charged.'
      : `The order is ${status} and cannot be paid.`;
  return result(OrderNotPayable, { message, status });
}
