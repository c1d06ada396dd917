import { Length } from 'class-validator';
import { createUnionType, Field, InputType } from 'type-graphql';
import { requireById } from '../../shared/database/require-by-id.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { OneLine } from '../../shared/graphql/validation.js';
import {
  claimKey,
  fingerprintOf,
  releaseClaim,
  storeOutcome,
} from '../../shared/idempotency/claim-key.js';
import { newId } from '../../shared/ids.js';
import type { OrderContext } from '../context.js';
import { Order, OrderExpired } from '../order/order.js';
import { requireOwnOrder } from '../order/visible-orders.js';
import { beginPayment } from './begin-payment.js';
import { Payment } from './payment.js';
import {
  OrderNotPayable,
  PaymentActionRequired,
  PaymentDeclined,
  PaymentPending,
  PaymentSuccess,
} from './payment-result.js';
import { notPayable, processAndReadResult, readPaymentResult } from './read-payment-result.js';

@InputType({ description: 'The order to pay, and the payment method.' })
export class PayOrderInput {
  @Field(() => UUID, { description: 'Id of the order.' })
  orderId!: string;

  @Field(() => String, {
    defaultValue: 'Credit Card',
    description: 'Payment method, 1 to 50 characters.',
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
    ] as const,
});

/** What is stored under the idempotency key: the payment of the order, or that it cannot be paid. */
type Outcome = { kind: 'paid-by'; paymentId: string } | { kind: 'not-payable'; orderId: string };

/**
 * Pays an order. It has one live payment at a time: a second attempt gets the result of the first.
 *
 * @throws `NOT_FOUND` for an order that is not the user's, `IDEMPOTENCY_KEY_REUSED`, `TRY_AGAIN`
 */
export async function payOrder(context: OrderContext, input: PayOrderInput) {
  const { app, em } = context;
  const order = await requireOwnOrder(context, input.orderId);
  const key = { userId: order.customerId, operation: 'payOrder', key: input.idempotencyKey };
  const fingerprint = fingerprintOf([input.orderId, input.paymentMethod]);
  const claim = await claimKey<Outcome>(app.claimKey, key, fingerprint, newId());
  if (claim.outcome) return toPayOrderResult(context, claim.outcome);
  try {
    const outcome = await begin(context, order, claim.subjectId, input.paymentMethod);
    await storeOutcome(em, key, claim.subjectId, outcome);
    if (outcome.kind === 'paid-by' && outcome.paymentId === claim.subjectId) {
      return await processAndReadResult(context, outcome.paymentId);
    }
    return await toPayOrderResult(context, outcome);
  } catch (error) {
    await releaseClaim(em, key, claim.subjectId).catch(() => {}); // it expires anyway
    throw error;
  }
}

/** Begins the payment of the order, or finds its live one. */
async function begin(
  { em, app }: OrderContext,
  { id: orderId, status }: Order,
  paymentId: string,
  method: string,
): Promise<Outcome> {
  const provider = app.provider.name;
  const payment = { id: paymentId, orderId, method, provider, endsOrder: false };
  // The process that began this payment may have died before it stored the outcome.
  const known = await em.fork().findOne(Payment, paymentId);
  if (!known && status !== 'PENDING') return { kind: 'not-payable', orderId };
  const paidBy = known?.id ?? (await beginPayment(em, payment));
  return paidBy ? { kind: 'paid-by', paymentId: paidBy } : { kind: 'not-payable', orderId };
}

async function toPayOrderResult(context: OrderContext, outcome: Outcome) {
  if (outcome.kind === 'paid-by') return readPaymentResult(context, outcome.paymentId);
  return notPayable(await requireById(context.em, Order, outcome.orderId));
}

/**
 * Pays the order of a checkout with a payment method, or continues its payment: an order has one such
 * payment, whichever process calls. If it is declined, the order is cancelled.
 */
export async function payPlacedOrder(context: OrderContext, orderId: string, method: string) {
  const { app, em } = context;
  const payment = { id: newId(), orderId, method, provider: app.provider.name, endsOrder: true };
  const paidBy = await beginPayment(em, payment);
  if (!paidBy) return notPayable(await requireById(em, Order, orderId));
  return processAndReadResult(context, paidBy);
}
