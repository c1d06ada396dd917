import type { EntityManager } from '@mikro-orm/postgresql';
import { createUnionType, Field, ObjectType } from 'type-graphql';
import { identityOf } from '../../shared/auth/callers.js';
import { isDatabaseUnavailable, isTooSlow } from '../../shared/database/errors.js';
import { type Once, transact } from '../../shared/database/transact.js';
import { isTryAgain, OutcomeUnknown, tryAgain, UpstreamFault } from '../../shared/errors.js';
import { Refusal, result } from '../../shared/graphql/refusal.js';
import { Allow } from '../../shared/rights/rights.js';
import type { OrderContext } from '../context.js';
import { changeShopOrders, previousStatus } from '../fulfilment/change-shop-orders.js';
import { lockOrder } from '../locks.js';
import { Order } from '../order/order.js';
import { OrderStatus } from '../order/status.js';
import { cancelAllUnits } from '../order/transitions/cancel-units.js';
import { endPending } from '../order/transitions/end-pending.js';
import { requireOwnOrder } from '../order/visible-orders.js';
import type { RowKey } from '../row-key.js';
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

type OnceCancelled = Once<typeof CancelOrderResult>;

/**
 * Cancels an order that is not shipped yet. For an unpaid order the reservation is released; if a
 * payment committed it first, the order is cancelled as a paid one. For a paid order the payment is
 * refunded and the units can be sold again.
 *
 * @returns without a key `OrderNotCancellable` for an order that is cancelled; with one, the order, if its
 *   customer cancelled it
 * @throws `NOT_FOUND` for an order that is not the user's; `TRY_AGAIN`, also while it is being paid;
 *   OutcomeUnknown if a failure came after the release was sent
 */
export async function cancelOrder(
  context: OrderContext,
  id: string,
  once?: OnceCancelled,
): Promise<typeof CancelOrderResult> {
  const { customerId, status, cancelReason } = await requireOwnOrder(context, id);
  const key = { customerId, id };
  if (status === 'PENDING') return cancelUnpaid(context, key, once);
  // An earlier request with this key may have ended after the reservation was released.
  if (once && cancelReason === 'BY_CUSTOMER') {
    return transact(context.em, (tx) => tx.findOneOrFail(Order, key), once);
  }
  return cancelPaid(context, key, once);
}

async function cancelUnpaid(context: OrderContext, key: RowKey, once?: OnceCancelled) {
  const { id: userId } = identityOf(context);
  const { state } = await afterRelease(() =>
    context.app.reservations.release(key.id, 'BY_CUSTOMER', userId),
  );
  if (state === 'COMMITTED') return cancelPaid(context, key, once);
  const reason = state === 'EXPIRED' ? 'PAYMENT_TIMEOUT' : 'BY_CUSTOMER';
  const actor = reason === 'BY_CUSTOMER' ? userId : undefined;
  const work = async (tx: EntityManager): Promise<typeof CancelOrderResult> => {
    await endPending(tx, key, { to: 'CANCELLED', reason, actor });
    return tx.findOneOrFail(Order, { ...key });
  };
  return afterRelease(() => transact(context.em, work, once));
}

/**
 * Once the release was sent, no failure means that nothing happened: a released reservation cancels its
 * order by an event.
 */
async function afterRelease<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const isAway = isTryAgain(error) || error instanceof UpstreamFault;
    if (!isAway && !isDatabaseUnavailable(error) && !isTooSlow(error)) throw error;
    throw new OutcomeUnknown('the release of the reservation was sent', { cause: error });
  }
}

const reason = 'BY_CUSTOMER';

function cancelPaid(context: OrderContext, key: RowKey, once?: OnceCancelled) {
  const { id: actor } = identityOf(context);
  const work = async (em: EntityManager): Promise<typeof CancelOrderResult> => {
    const order = await lockOrder(em, key);
    if (order.status === 'PENDING')
      throw tryAgain('The order is being paid. Try again in a moment.');
    const live = order.shopOrders.filter(({ status }) => status !== 'CANCELLED');
    const isShipped = live.some(({ status }) => status !== previousStatus('CANCELLED'));
    if (live.length === 0 || isShipped) return notCancellable(order.status, isShipped);
    const shopOrderIds = live.map((shopOrder) => shopOrder.id);
    await changeShopOrders(em, order, { shopOrderIds, to: 'CANCELLED', actor, reason });
    const units = { reason: 'CUSTOMER_REQUEST' as const };
    const cancelled = await cancelAllUnits(em, key.customerId, shopOrderIds);
    await reverseSale(em, order, cancelled, { actor, reason, units });
    return em.findOneOrFail(Order, { ...key });
  };
  return transact(context.em, work, once);
}

function notCancellable(status: OrderStatus, isShipped = false): OrderNotCancellable {
  const message = isShipped
    ? 'The order, or a part of it, has been shipped and cannot be cancelled.'
    : `The order is ${status} and cannot be cancelled.`;
  return result(OrderNotCancellable, { message, status });
}
