import { Length } from 'class-validator';
import { createUnionType, Field, InputType, ObjectType } from 'type-graphql';
import { v7 as uuidv7 } from 'uuid';
import { isUniqueViolation } from '../../shared/database-errors.js';
import { notFound, tryAgain } from '../../shared/errors.js';
import { claimKey, fingerprintOf, giveUpClaim, storeOutcome } from '../../shared/idempotency.js';
import { Refusal, result } from '../../shared/refusal.js';
import { Allow } from '../../shared/rights.js';
import { UUID } from '../../shared/scalars.js';
import { OrderExpired } from '../checkout/checkout-result.js';
import type { OrderContext } from '../context.js';
import { Order } from '../order/order.js';
import { findOwnOrder } from '../order/own-order.js';
import { OrderStatus } from '../order/status.js';
import { Payment } from './payment.js';
import { settlePayment } from './settle-payment.js';

@InputType({ description: 'Which order is paid, and with what.' })
export class PayOrderInput {
  @Field(() => UUID, { description: 'The order.' })
  orderId!: string;

  @Field(() => String, { defaultValue: 'Credit Card', description: 'At most 50 characters.' })
  @Length(1, 50)
  paymentMethod!: string;

  @Field(() => String, { description: 'Chosen by the client: sent again, it pays once.' })
  @Length(1, 255)
  idempotencyKey!: string;
}

@Allow('parent')
@ObjectType({ description: 'The order is paid.' })
export class PaymentSuccess {
  @Field(() => Order, { description: 'The order.' })
  order!: Order;

  @Field(() => Payment, { description: 'The payment.' })
  payment!: Payment;
}

@Allow('parent')
@ObjectType({ description: 'It is not known yet whether the payment succeeds; look again later.' })
export class PaymentPending {
  @Field(() => Payment, { description: 'The payment.' })
  payment!: Payment;
}

@Allow('parent')
@ObjectType({ implements: Refusal, description: 'Declined; the order can still be paid in time.' })
export class PaymentDeclined extends Refusal {
  @Field(() => Order, { description: 'The order.' })
  order!: Order;

  @Field(() => String, { description: 'What the provider says.' })
  reason!: string;
}

@Allow('parent')
@ObjectType({ implements: Refusal, description: 'The order is not waiting to be paid.' })
export class OrderNotPayable extends Refusal {
  @Field(() => OrderStatus, { description: 'How far the order is.' })
  status!: OrderStatus;
}

export const PayOrderResult = createUnionType({
  name: 'PayOrderResult',
  description: 'What became of the payment.',
  types: () =>
    [PaymentSuccess, PaymentPending, PaymentDeclined, OrderExpired, OrderNotPayable] as const,
});

/** How an attempt ended that made no payment. */
type Outcome = { kind: 'paid-by'; paymentId: string } | { kind: 'not-payable'; orderId: string };

/**
 * Pays an order. One live payment at a time: who comes second is told of the first.
 *
 * @throws `NOT_FOUND` for an order that is not the user's, `IDEMPOTENCY_KEY_REUSED`, `TRY_AGAIN`
 */
export async function payOrder(context: OrderContext, input: PayOrderInput) {
  const { app, em } = context;
  const order = await findOwnOrder(context, input.orderId);
  if (!order) throw notFound('order', input.orderId);
  const of = { userId: order.customerId, operation: 'payOrder', key: input.idempotencyKey };
  const fingerprint = fingerprintOf([input.orderId, input.paymentMethod]);
  const claim = await claimKey<Outcome>(em, of, fingerprint, uuidv7());
  if (claim.outcome) return present(context, claim.outcome);
  try {
    const outcome = await begin(context, order, claim.subjectId, input.paymentMethod);
    await storeOutcome(em, of, outcome);
    if (outcome.kind === 'paid-by' && outcome.paymentId === claim.subjectId) {
      await settlePayment(app, outcome.paymentId);
    }
    return await present(context, outcome);
  } catch (error) {
    await giveUpClaim(em, of).catch(() => {}); // it lapses by itself
    throw error;
  }
}

/** Makes the one live payment of the order, or finds who has it. */
async function begin(
  { em, app }: OrderContext,
  order: Order,
  paymentId: string,
  method: string,
): Promise<Outcome> {
  const fork = em.fork();
  // The process that began this payment may have died before it wrote its outcome down.
  if (await fork.findOne(Payment, paymentId)) return { kind: 'paid-by', paymentId };
  if (order.status !== 'PENDING') return { kind: 'not-payable', orderId: order.id };
  if (!order.expiresAt) throw tryAgain('The order is still being placed; pay it in a moment.');
  const payment = fork.create(Payment, {
    id: paymentId,
    orderId: order.id,
    userId: order.customerId,
    amountValue: order.totalAmount,
    currencyCode: order.currencyCode,
    status: 'PENDING',
    method,
    provider: app.provider.name,
    providerTransactionId: null,
    declineReason: null,
  });
  try {
    await fork.persist(payment).flush();
    return { kind: 'paid-by', paymentId };
  } catch (error) {
    if (isUniqueViolation(error, 'payment_pkey')) return { kind: 'paid-by', paymentId };
    if (!isUniqueViolation(error, 'payment_live')) throw error;
    const live = await em.fork().findOne(Payment, {
      orderId: order.id,
      status: { $in: ['PENDING', 'AUTHORIZED', 'COMPLETED'] },
    });
    if (live) return { kind: 'paid-by', paymentId: live.id };
    return begin({ em, app } as OrderContext, order, paymentId, method);
  }
}

async function present({ em }: OrderContext, outcome: Outcome) {
  const fork = em.fork();
  if (outcome.kind === 'not-payable') {
    return notPayable(await fork.findOneOrFail(Order, outcome.orderId));
  }
  const payment = await fork.findOneOrFail(Payment, outcome.paymentId);
  const order = await fork.findOneOrFail(Order, payment.orderId);
  switch (payment.status) {
    case 'COMPLETED':
      return result(PaymentSuccess, { order, payment });
    case 'FAILED':
      return result(PaymentDeclined, {
        message: 'The payment was declined; the order can still be paid in time.',
        order,
        reason: payment.declineReason ?? 'declined',
      });
    case 'VOIDED':
      return notPayable(order);
    default:
      return result(PaymentPending, { payment });
  }
}

function notPayable(order: Order): OrderExpired | OrderNotPayable {
  const { status, cancelReason } = order;
  // A payment is voided because its hold is gone; the word of that may still be on its way here.
  if (status === 'PENDING' || cancelReason === 'PAYMENT_TIMEOUT') {
    return result(OrderExpired, { message: 'The time to pay this order was up.', order });
  }
  return result(OrderNotPayable, { message: `The order is ${status}; it cannot be paid.`, status });
}
