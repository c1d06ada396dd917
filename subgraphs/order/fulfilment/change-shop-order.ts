import type { EntityManager } from '@mikro-orm/postgresql';
import { identityOf } from '../../shared/auth/callers.js';
import { type Once, transact } from '../../shared/database/transact.js';
import { notFound } from '../../shared/errors.js';
import { result } from '../../shared/graphql/refusal.js';
import type { OrderContext } from '../context.js';
import { type LockedOrder, type LockedShopOrder, lockOrder } from '../locks.js';
import { ShopOrder } from '../order/shop-order.js';
import type { OrderStatus } from '../order/status.js';
import { changeShopOrders, previousStatus, type ShopOrdersChange } from './change-shop-orders.js';
import { WrongShopOrderStatus } from './shop-order-result.js';

type Transition = Omit<ShopOrdersChange, 'shopOrderIds' | 'actor'>;
interface ChangeOptions<R extends object> {
  /** a further reason not to change it, read under the lock of the order */
  refusalOf?(em: EntityManager, order: LockedOrder): Promise<R | null>;
  /** further work in the transaction of the change */
  afterTransition?(
    em: EntityManager,
    order: LockedOrder,
    shopOrder: LockedShopOrder,
    actor: string,
  ): Promise<void>;
  /** the idempotency key of the request */
  readonly once?: Once<ShopOrder | WrongShopOrderStatus | R> | undefined;
}

/**
 * Changes the status of a shop order, if its current status allows it.
 *
 * @returns the shop order, or the refusal
 * @throws `NOT_FOUND`; `FORBIDDEN` if the shop is not the user’s
 */
export async function changeShopOrder<R extends object = never>(
  context: OrderContext,
  id: string,
  transition: Transition,
  { refusalOf, afterTransition, once }: ChangeOptions<R> = {},
): Promise<ShopOrder | WrongShopOrderStatus | R> {
  const { id: actor } = identityOf(context);
  const { orderId } = await requireOwnShopOrder(context, id);
  const work = async (em: EntityManager) => {
    const order = await lockOrder(em, orderId);
    const shopOrder = order.shopOrders.find((each) => each.id === id) as LockedShopOrder;
    if (shopOrder.status !== previousStatus(transition.to)) return wrongStatus(shopOrder.status);
    const refusal = await refusalOf?.(em, order);
    if (refusal) return refusal;
    await changeShopOrders(em, order, { ...transition, shopOrderIds: [id], actor });
    await afterTransition?.(em, order, shopOrder, actor);
    return em.findOneOrFail(ShopOrder, id);
  };
  return transact(context.em, work, once);
}

function wrongStatus(status: OrderStatus): WrongShopOrderStatus {
  const message = `The shop order is ${status}; this is not possible now.`;
  return result(WrongShopOrderStatus, { message, status });
}

async function requireOwnShopOrder(context: OrderContext, id: string): Promise<ShopOrder> {
  const shopOrder = await context.em.fork().findOne(ShopOrder, id);
  if (!shopOrder) throw notFound('shop order', id);
  await context.app.owners.requireOwn(context, shopOrder.shopId);
  if (shopOrder.neverPaid && identityOf(context).role !== 'ADMIN') throw notFound('shop order', id);
  return shopOrder;
}
