import { Length } from 'class-validator';
import { createUnionType, Field, InputType } from 'type-graphql';
import { UUID } from '../../shared/graphql/scalars.js';
import { OneLine } from '../../shared/graphql/validation.js';
import { claimKey, fingerprintOf, storeOutcome } from '../../shared/idempotency/claim-key.js';
import { newId } from '../../shared/ids.js';
import { Order, OrderExpired } from '../order/order.js';
import { requireOwnOrder } from '../order/visible-orders.js';
import { requireRow } from '../require-row.js';
import type { RowKey } from '../row-key.js';
import { beginPayment } from './begin-payment.js';
import type { PaymentContext } from './payment-app.js';
import {
  OrderNotPayable,
  PaymentActionRequired,
  PaymentDeclined,
  PaymentPending,
  PaymentSuccess,
  TooManyPaymentAttempts,
} from './payment-result.js';
import {
  authorizeAndReadResult,
  notPayable,
  readPaymentResult,
  showPayment,
  tooManyAttempts,
} from './read-payment-result.js';
import { declinesPerOrderMax } from './state/begin-payments.js';
import { Payment } from './state/payment.js';
import { failuresOfMethod } from './state/status.js';
import { cancelDeclinedCheckout } from './void-payment.js';

@InputType({ description: 'The order to pay, and the payment method.' })
export class PayOrderInput {
  @Field(() => UUID, { description: 'Id of the order.' })
  orderId!: string;

  @Field(() => String, {
    defaultValue: 'Credit Card',
    description:
      'Payment method, 1 to 50 characters: with Stripe the id of a PaymentMethod (`pm_…`) that Stripe.js created.',
  })
  @OneLine(50)
  paymentMethod!: string;

  @Field(() => String, {
    description:
      'Chosen by the client, 1 to 255 characters. A repeated request with the same key pays once.',
  })
  @Length(1, 255)
  idempotencyKey!: string;
}

export const PayOrderResult = createUnionType({
  name: 'PayOrderResult',
  description: 'The result of the payment, or why the order cannot be paid.',
  types: () =>
    [
      PaymentSuccess,
      PaymentPending,
      PaymentActionRequired,
      PaymentDeclined,
      OrderExpired,
      OrderNotPayable,
      TooManyPaymentAttempts,
    ] as const,
});

/** What is stored under the idempotency key: the payment of the order, or that it cannot be paid. */
type Outcome = { kind: 'paid-by'; paymentId: string } | { kind: 'not-payable'; orderId: string };

/**
 * Pays an order. It has one live payment at a time: a second attempt gets the result of the first.
 *
 * @throws `NOT_FOUND` for an order that is not the user's, `IDEMPOTENCY_KEY_REUSED`, `BAD_USER_INPUT` for a
 *   method that the provider does not know, `TRY_AGAIN`, also for a payment that ended without a charge
 */
export async function payOrder(context: PaymentContext, input: PayOrderInput) {
  const { app, em } = context;
  const order = await requireOwnOrder(context, input.orderId);
  const key = { userId: order.customerId, operation: 'payOrder', key: input.idempotencyKey };
  const fingerprint = fingerprintOf([input.orderId, input.paymentMethod]);
  const claim = await claimKey<Outcome>(app.claimKey, key, fingerprint, newId());
  if (claim.outcome) return toPayOrderResult(context, order, claim.outcome);
  try {
    const begun = await begin(context, order, claim.subjectId, input.paymentMethod);
    if (begun.kind === 'limited') {
      app.releaseClaim({ key, ...claim });
      return tooManyAttempts(begun.retryAt);
    }
    const isBegun = begun.kind === 'begun';
    const outcome: Outcome = isBegun
      ? { kind: 'paid-by', paymentId: begun.payment.id }
      : { kind: 'not-payable', orderId: order.id };
    await storeOutcome(em, key, claim.subjectId, outcome);
    if (!isBegun) return await toPayOrderResult(context, order, outcome);
    return begun.isNew
      ? await authorizeAndReadResult(context, begun.payment)
      : await showPayment(context, begun.payment);
  } catch (error) {
    app.releaseClaim({ key, ...claim });
    throw error;
  }
}

/** Begins the payment of the order, or finds its live one. */
async function begin(
  { em, app }: PaymentContext,
  { customerId, id: orderId, status }: Order,
  paymentId: string,
  method: string,
): ReturnType<typeof beginPayment> {
  if (status === 'PENDING') {
    const payment = { customerId, id: paymentId, orderId, method, endsOrder: false };
    return beginPayment(app, payment);
  }
  // The process that began this payment may have died before it stored the outcome.
  const payment = await em.fork().findOne(Payment, { customerId, id: paymentId });
  return payment ? { kind: 'begun', payment, isNew: false } : { kind: 'not-payable' };
}

async function toPayOrderResult(context: PaymentContext, { customerId }: RowKey, outcome: Outcome) {
  if (outcome.kind === 'paid-by') {
    return readPaymentResult(context, { customerId, id: outcome.paymentId });
  }
  return notPayable(await requireRow(context.em, Order, { customerId, id: outcome.orderId }));
}

/**
 * Pays the order of a checkout with a payment method, or continues its payment: an order has one such
 * payment, whichever process calls. If it is declined, the provider does not know the method, or the customer
 * had too many declined payments, the order is cancelled.
 *
 * @throws as `readPaymentResult`
 */
export async function payPlacedOrder(context: PaymentContext, order: RowKey, method: string) {
  const { app, em } = context;
  const { customerId, id: orderId } = order;
  const payment = { customerId, id: newId(), orderId, method, endsOrder: true };
  const begun = await beginPayment(app, payment);
  switch (begun.kind) {
    case 'begun':
      return begun.isNew
        ? authorizeAndReadResult(context, begun.payment)
        : showPayment(context, begun.payment);
    case 'limited':
      await cancelDeclinedCheckout(app, order);
      return tooManyAttempts(begun.retryAt);
    case 'not-payable':
      return showUnpaid(context, await requireRow(em, Order, order));
  }
}

/** A repeated checkout without a payment, whose order was cancelled: the customer had too many declined ones. */
async function showUnpaid({ em }: PaymentContext, order: Order) {
  if (order.cancelReason !== 'PAYMENT_FAILED') return notPayable(order);
  const payments = await em.fork().find(Payment, {
    customerId: order.customerId,
    orderId: order.id,
  });
  const isOwn = ({ endsOrder, failure }: Payment) => endsOrder && failure !== 'NOT_CHARGED';
  if (payments.some(isOwn)) return notPayable(order);
  const declined = payments.filter(({ failure }) => failuresOfMethod.includes(failure));
  return tooManyAttempts(declined.length < declinesPerOrderMax ? nextDay(order.updatedAt) : null);
}

/** The beginning of the next day, by UTC. */
const nextDay = (time: Date) =>
  new Date(Date.UTC(time.getUTCFullYear(), time.getUTCMonth(), time.getUTCDate() + 1));
