import { createUnionType, Field, ObjectType } from 'type-graphql';
import { identityOf } from '../../shared/auth/callers.js';
import { tryAgain } from '../../shared/errors.js';
import { Refusal, result } from '../../shared/graphql/refusal.js';
import { Allow } from '../../shared/rights/rights.js';
import type { OrderContext } from '../context.js';
import { changeShopOrders, previousStatus } from '../fulfilment/change-shop-orders.js';
import { lockOrder } from '../locks.js';
import { Order } from '../order/order.js';
import { OrderStatus } from '../order/status.js';
import { endPending } from '../order/transitions/end-pending.js';
import { requireOwnOrder } from '../order/visible-orders.js';
import { reverseSale } from './reverse-sale.js';

@Allow('parent')
@ObjectType({
  implements: Refusal,
  description: 'The order is shipped or already cancelled, so it cannot be cancelled.',
})
export class OrderNotCancellable extends Refusal {
  @Field(() => OrderStatus, { description: 'Current status.' })
  status!: OrderStatus;
}

export const CancelOrderResult = createUnionType({
  name: 'CancelOrderResult',
  description: 'The cancelled order, or why it cannot be cancelled.',
  types: () => [Order, OrderNotCancellable] as const,
});

/**
 * Cancels an order that is not shipped yet. For an unpaid order the reservation is released; if a
 * payment committed it first, the order is cancelled as a paid one. For a paid order the payment is
 * refunded and the units can be sold again.
 *
 * @throws `NOT_FOUND` for an order that is not the user's; `TRY_AGAIN`, also while it is being paid
 */
export async function cancelOrder(context: OrderContext, id: string) {
  const order = await requireOwnOrder(context, id);
  const refusal =
    order.status === 'PENDING' ? await cancelUnpaid(context, id) : await cancelPaid(context, id);
  return refusal ?? context.em.fork().findOneOrFail(Order, id);
}

async function cancelUnpaid(context: OrderContext, id: string) {
  const { id: userId } = identityOf(context);
  const { state } = await context.app.reservations.release(id, 'BY_CUSTOMER', userId);
  if (state === 'COMMITTED') return cancelPaid(context, id);
  const reason = state === 'EXPIRED' ? 'PAYMENT_TIMEOUT' : 'BY_CUSTOMER';
  const actor = reason === 'BY_CUSTOMER' ? userId : undefined;
  await endPending(context.em, id, { status: 'CANCELLED', reason, actor });
  return null;
}

const reason = 'BY_CUSTOMER';

function cancelPaid(context: OrderContext, id: string) {
  const { id: actor } = identityOf(context);
  return context.em.fork().transactional(async (em) => {
    const order = await lockOrder(em, id);
    if (order.status === 'PENDING')
      throw tryAgain('The order is being paid. Try again in a moment.');
    const live = order.shopOrders.filter(({ status }) => status !== 'CANCELLED');
    const isShipped = live.some(({ status }) => status !== previousStatus('CANCELLED'));
    if (live.length === 0 || isShipped) return notCancellable(order.status, isShipped);
    const shopOrderIds = live.map((shopOrder) => shopOrder.id);
    await changeShopOrders(em, order, { shopOrderIds, to: 'CANCELLED', actor, reason });
    await reverseSale(em, order, live, {
      actor,
      reason,
      units: { reason: 'CUSTOMER_REQUEST' },
    });
    return null;
  });
}

function notCancellable(status: OrderStatus, isShipped = false): OrderNotCancellable {
  const message = isShipped
    ? 'The order, or a part of it, has been shipped and cannot be cancelled.'
    : `The order is ${status} and cannot be cancelled.`;
  return result(OrderNotCancellable, { message, status });
}
