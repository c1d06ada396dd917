import { Length } from 'class-validator';
import { createUnionType, Field, InputType } from 'type-graphql';
import { findById } from '../../shared/database/find-by-id.js';
import { tryAgain } from '../../shared/errors.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { OneLine } from '../../shared/graphql/validation.js';
import { claimKey, fingerprintOf, releaseClaim, storeOutcome } from '../../shared/idempotency.js';
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
import { notPayable, presentPayment, processAndPresent } from './read-payment-result.js';

@InputType({ description: 'Which order is paid, and with what.' })
export class PayOrderInput {
  @Field(() => UUID, { description: 'The order.' })
  orderId!: string;

  @Field(() => String, { defaultValue: 'Credit Card', description: 'At most 50 characters.' })
  @OneLine(50)
  paymentMethod!: string;

  @Field(() => String, { description: 'Chosen by the client: sent again, it pays once.' })
  @Length(1, 255)
  idempotencyKey!: string;
}

export const PayOrderResult = createUnionType({
  name: 'PayOrderResult',
  description: 'What became of the payment.',
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

/** How an attempt ended that made no payment. */
type Outcome = { kind: 'paid-by'; paymentId: string } | { kind: 'not-payable'; orderId: string };

/**
 * Pays an order. One live payment at a time: who comes second is told of the first.
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
      return await processAndPresent(context, outcome.paymentId);
    }
    return await toPayOrderResult(context, outcome);
  } catch (error) {
    await releaseClaim(em, key, claim.subjectId).catch(() => {}); // it lapses by itself
    throw error;
  }
}

/** Makes the one live payment of the order, or finds who has it. */
async function begin(
  { em, app }: OrderContext,
  { id: orderId, status, expiresAt }: Order,
  paymentId: string,
  method: string,
): Promise<Outcome> {
  if (status === 'PENDING' && !expiresAt) {
    throw tryAgain('The order is still being placed; pay it in a moment.');
  }
  const provider = app.provider.name;
  const payment = { id: paymentId, orderId, method, provider, endsOrder: false };
  // The process that began this payment may have died before it wrote its outcome down.
  const known = await em.fork().findOne(Payment, paymentId);
  if (!known && status !== 'PENDING') return { kind: 'not-payable', orderId };
  const paidBy = known?.id ?? (await beginPayment(em, payment));
  return paidBy ? { kind: 'paid-by', paymentId: paidBy } : { kind: 'not-payable', orderId };
}

async function toPayOrderResult(context: OrderContext, outcome: Outcome) {
  if (outcome.kind === 'paid-by') return presentPayment(context, outcome.paymentId);
  return notPayable(await findById(context.em, Order, outcome.orderId));
}

/**
 * Pays what a checkout that names a payment method has just placed, or goes on with it: an order has
 * one payment of this kind, whichever process asks. Declined, it cancels the order.
 */
export async function payPlacedOrder(context: OrderContext, orderId: string, method: string) {
  const { app, em } = context;
  const payment = { id: newId(), orderId, method, provider: app.provider.name, endsOrder: true };
  const paidBy = await beginPayment(em, payment);
  if (!paidBy) return notPayable(await findById(em, Order, orderId));
  return processAndPresent(context, paidBy);
}
