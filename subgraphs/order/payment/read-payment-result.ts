import { findById } from '../../shared/database/find-by-id.js';
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
 * What a payment came to, as its customer is told. One that waits for the customer, or for their
 * bank, is looked up at the provider first.
 */
export async function presentPayment(context: OrderContext, paymentId: string) {
  const found = await findById(context.em, Payment, paymentId);
  const waits = found.status === 'PENDING' && found.providerTransactionId;
  return toPaymentResult(context, waits ? await processPayment(context.app, paymentId) : found);
}

/** The same, for a payment that was settled just now, as far as it goes. */
export async function processAndPresent(context: OrderContext, paymentId: string) {
  return toPaymentResult(context, await processPayment(context.app, paymentId));
}

async function toPaymentResult({ em }: OrderContext, payment: Payment) {
  const order = await findById(em, Order, payment.orderId);
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
  const what =
    order.status === 'CANCELLED' ? 'the order is cancelled' : 'the order can still be paid in time';
  return result(PaymentDeclined, { message: `The payment was declined; ${what}.`, order, reason });
}

/** Why an order is not to be paid (any more). */
export function notPayable(order: Order): OrderExpired | OrderNotPayable {
  const { status, cancelReason } = order;
  // A payment is voided because its hold is gone; the word of that may still be on its way here.
  if (status === 'PENDING' || cancelReason === 'PAYMENT_TIMEOUT') {
    return result(OrderExpired, { message: 'The time to pay this order was up.', order });
  }
  return result(OrderNotPayable, { message: `The order is ${status}; it cannot be paid.`, status });
}
