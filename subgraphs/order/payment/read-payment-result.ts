import { badInput, tryAgain } from '../../shared/errors.js';
import { result } from '../../shared/graphql/refusal.js';
import { Order, OrderExpired } from '../order/order.js';
import { requireRow } from '../require-row.js';
import { orderKeyOf, type RowKey } from '../row-key.js';
import { type Advanced, advancePayment, authorizeAndAdvance } from './advance-payment.js';
import type { PaymentContext } from './payment-app.js';
import {
  OrderNotPayable,
  PaymentActionRequired,
  PaymentDeclined,
  PaymentPending,
  PaymentSuccess,
  TooManyPaymentAttempts,
} from './payment-result.js';
import type { PaymentDeclineCode } from './provider/decline-code.js';
import { Payment } from './state/payment.js';

/**
 * The current result of a payment. One that is not decided yet is looked up at the provider first, unless
 * this process looked within the last 2 s.
 *
 * @throws `TRY_AGAIN` if nothing was charged and the order can still be paid; `BAD_USER_INPUT` if the
 *   provider does not know the payment method
 */
export async function readPaymentResult(context: PaymentContext, key: RowKey) {
  return showPayment(context, await requireRow(context.em, Payment, key));
}

/** As `readPaymentResult`, of a payment that was just read. */
export async function showPayment(context: PaymentContext, payment: Payment) {
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
export async function authorizeAndReadResult(context: PaymentContext, payment: Payment) {
  return toPaymentResult(context, await authorizeAndAdvance(context.app, payment));
}

async function toPaymentResult({ em }: PaymentContext, { payment, order: changed }: Advanced) {
  const order = changed ?? (await requireRow(em, Order, orderKeyOf(payment)));
  switch (payment.status) {
    case 'PENDING':
      return payment.clientSecret
        ? result(PaymentActionRequired, { payment, clientSecret: payment.clientSecret })
        : result(PaymentPending, { payment });
    case 'AUTHORIZED':
      return result(PaymentPending, { payment });
    case 'COMPLETED':
    case 'REFUNDED':
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

function failed(order: Order, { failure, declineCode, endsOrder }: Payment) {
  if (failure === 'DECLINED' || failure === 'CAPTURE_REFUSED') {
    return declined(order, declineCode ?? 'GENERIC');
  }
  if (failure === 'UNKNOWN_METHOD') throw unknownMethod(order);
  if (failure === 'ORDER_ENDED' || order.status !== 'PENDING') return notPayable(order);
  const advice = endsOrder ? 'Please retry with the same key.' : 'Pay again with a new key.';
  throw tryAgain(`Nothing was charged. ${advice}`);
}

/** What customers read instead of the provider’s words. */
const declineTexts: Readonly<Record<PaymentDeclineCode, string>> = {
  GENERIC: 'The payment was declined.',
  INSUFFICIENT_FUNDS: 'The payment was declined for insufficient funds.',
  CARD_EXPIRED: 'The payment was declined because the card has expired.',
  INCORRECT_DETAILS: 'The payment was declined because the details are incorrect.',
  AUTHENTICATION_FAILED: 'The payment was declined because it was not authenticated.',
  NOT_SUPPORTED: 'The payment was declined because the method cannot be used for it.',
  LIMIT_EXCEEDED: 'The payment was declined because a limit of the method is exceeded.',
};

function declined(order: Order, code: PaymentDeclineCode): PaymentDeclined {
  const advice = adviceOf(order);
  return result(PaymentDeclined, { message: `${declineTexts[code]} ${advice}`, order, code });
}

function adviceOf({ status }: Order): string {
  if (status === 'CANCELLED') return 'The order is cancelled.';
  return status === 'PENDING'
    ? 'Try again or use another method.'
    : 'Another payment has paid the order.';
}

function unknownMethod(order: Order) {
  const end = order.status === 'CANCELLED' ? ' The order is cancelled.' : '';
  return badInput({
    'input.paymentMethod': `the payment provider does not know it. Create a payment method with the client library of the provider, and pass its id (at Stripe pm_…) with a new key.${end}`,
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
