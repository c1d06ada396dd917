import { requireById } from '../../shared/database/require-by-id.js';
import { tryAgain } from '../../shared/errors.js';
import { result } from '../../shared/graphql/refusal.js';
import type { OrderContext } from '../context.js';
import { Order, OrderExpired } from '../order/order.js';
import { type Advanced, advancePayment, authorizeAndAdvance } from './advance-payment.js';
import {
  OrderNotPayable,
  PaymentActionRequired,
  PaymentDeclined,
  PaymentPending,
  PaymentSuccess,
  TooManyPaymentAttempts,
} from './payment-result.js';
import { Payment } from './state/payment.js';

/**
 * The current result of a payment. One that is not decided yet is looked up at the provider first, unless
 * this process looked within the last 2 s.
 *
 * @throws `TRY_AGAIN` if nothing was charged and the order can still be paid
 */
export async function readPaymentResult(context: OrderContext, paymentId: string) {
  return showPayment(context, await requireById(context.em, Payment, paymentId));
}

/** As `readPaymentResult`, of a payment that was just read. */
export async function showPayment(context: OrderContext, payment: Payment) {
  const { app } = context;
  const waits = payment.status === 'PENDING' && payment.providerTransactionId;
  if (!waits) return toPaymentResult(context, { payment });
  const current = await app.shareLookUp(
    payment,
    async () => (await advancePayment(app, payment)).payment,
  );
  return toPaymentResult(context, { payment: current });
}

/** Asks for the money of a payment that this process has just begun. @throws as `readPaymentResult` */
export async function authorizeAndReadResult(context: OrderContext, payment: Payment) {
  return toPaymentResult(context, await authorizeAndAdvance(context.app, payment));
}

async function toPaymentResult({ em }: OrderContext, { payment, order: changed }: Advanced) {
  const order = changed ?? (await requireById(em, Order, payment.orderId));
  switch (payment.status) {
    case 'PENDING':
      return payment.clientSecret
        ? result(PaymentActionRequired, { payment, clientSecret: payment.clientSecret })
        : result(PaymentPending, { payment });
    case 'AUTHORIZED':
      return result(PaymentPending, { payment });
    case 'COMPLETED':
      // While the order is PENDING, such a payment was captured too late, and is refunded.
      return order.status === 'CANCELLED' || order.status === 'PENDING'
        ? notPayable(order)
        : result(PaymentSuccess, { order, payment });
    case 'FAILED':
      return failed(order, payment);
    default:
      return notPayable(order);
  }
}

function failed(order: Order, { failure, declineReason, endsOrder }: Payment) {
  if (failure === 'DECLINED' || failure === 'CAPTURE_REFUSED') {
    return declined(order, declineReason ?? 'declined');
  }
  if (failure === 'ORDER_ENDED' || order.status !== 'PENDING') return notPayable(order);
  const advice = endsOrder ? 'Please retry with the same key.' : 'Pay again with a new key.';
  throw tryAgain(`Nothing was charged. ${advice}`);
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

/** The refusal for a customer or an order with too many declined attempts. */
export const tooManyAttempts = (retryAt: Date | null): TooManyPaymentAttempts =>
  result(TooManyPaymentAttempts, {
    message: retryAt
      ? 'Too many payments were declined today. Try again tomorrow.'
      : 'Too many payments of this order were declined. Place a new order.',
    retryAt,
  });

/** The refusal for an order that cannot be paid, or no longer. */
export function notPayable(order: Order): OrderExpired | OrderNotPayable {
  const { status, cancelReason } = order;
  // A payment is voided because its reservation ended; that event may not have arrived here yet.
  if (status === 'PENDING' || cancelReason === 'PAYMENT_TIMEOUT') {
    return result(OrderExpired, {
      message: 'The time to pay this order is over. Place a new order.',
      order,
    });
  }
  const message =
    cancelReason === 'OUT_OF_STOCK'
      ? 'Some items are out of stock after all. The order is cancelled, and nothing was charged.'
      : `The order is ${status} and cannot be paid.`;
  return result(OrderNotPayable, { message, status });
}
