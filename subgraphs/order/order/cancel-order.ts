import { createUnionType, Field, ObjectType } from 'type-graphql';
import { notFound } from '../../shared/errors.js';
import { Refusal, result } from '../../shared/refusal.js';
import { Allow } from '../../shared/rights.js';
import type { OrderContext } from '../context.js';
import { endPending } from './change-status.js';
import { Order } from './order.js';
import { findOwnOrder } from './own-order.js';
import { OrderStatus } from './status.js';

@Allow('parent')
@ObjectType({ implements: Refusal, description: 'The order is too far to be cancelled.' })
export class OrderNotCancellable extends Refusal {
  @Field(() => OrderStatus, { description: 'How far it is.' })
  status!: OrderStatus;
}

export const CancelOrderResult = createUnionType({
  name: 'CancelOrderResult',
  description: 'The cancelled order, or why it cannot be cancelled.',
  types: () => [Order, OrderNotCancellable] as const,
});

/**
 * Cancels an unpaid order and puts its stock back. The reservation decides: where a payment came
 * first, the order is not cancelled.
 *
 * @throws `NOT_FOUND` for an order that is not the user's; `TRY_AGAIN`
 */
export async function cancelOrder(context: OrderContext, id: string) {
  const order = await findOwnOrder(context, id);
  if (!order) throw notFound('order', id);
  if (order.status !== 'PENDING') return notCancellable(order.status);
  const { state } = await context.app.reservations.release(id, 'BY_CUSTOMER');
  if (state === 'COMMITTED') return notCancellable('CONFIRMED');
  const reason = state === 'EXPIRED' ? 'PAYMENT_TIMEOUT' : 'BY_CUSTOMER';
  await endPending(context.em, id, { status: 'CANCELLED', reason });
  return context.em.fork().findOneOrFail(Order, id);
}

function notCancellable(status: OrderStatus): OrderNotCancellable {
  return result(OrderNotCancellable, { message: `The order is ${status} already.`, status });
}
