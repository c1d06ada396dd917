import type { EntityManager } from '@mikro-orm/postgresql';
import { identityOf } from '../../shared/auth/callers.js';
import { type Once, transact } from '../../shared/database/transact.js';
import { result } from '../../shared/graphql/refusal.js';
import type { OrderContext } from '../context.js';
import { type LockedOrder, type LockedShopOrder, lockOrder } from '../locks.js';
import { ShopOrder } from '../order/shop-order.js';
import type { OrderStatus } from '../order/status.js';
import { requireShopOrderOfOwnShop } from '../order/visible-orders.js';
import { orderKeyOf } from '../row-key.js';
import { type PaidStatus, previousStatus } from './change-shop-orders.js';
import { WrongShopOrderStatus } from './shop-order-result.js';

/** A shop order to change, under the lock of its order. */
export interface ChangingShopOrder {
  readonly em: EntityManager;
  readonly order: LockedOrder;
  /** a user’s id */
  readonly actor: string;
}

/**
 * Changes a shop order in one transaction, if its status can change to `to`.
 *
 * @param change makes the change, or returns a refusal without changing anything
 * @returns the shop order, or the refusal
 * @throws `NOT_FOUND`; `FORBIDDEN` if the shop is not the user’s
 */
export async function changeShopOrder<R extends object = never>(
  context: OrderContext,
  { id, to }: { readonly id: string; readonly to: PaidStatus },
  change: (shopOrder: ChangingShopOrder) => Promise<R | null>,
  once?: Once<ShopOrder | WrongShopOrderStatus | R>,
): Promise<ShopOrder | WrongShopOrderStatus | R> {
  const { id: actor } = identityOf(context);
  const shopOrder = await requireShopOrderOfOwnShop(context, id);
  const { customerId } = shopOrder;
  const work = async (em: EntityManager) => {
    const order = await lockOrder(em, orderKeyOf(shopOrder));
    const { status } = order.shopOrders.find((each) => each.id === id) as LockedShopOrder;
    if (status !== previousStatus(to)) return wrongStatus(status);
    const refusal = await change({ em, order, actor });
    return refusal ?? em.findOneOrFail(ShopOrder, { customerId, id });
  };
  return transact(context.em, work, once);
}

function wrongStatus(status: OrderStatus): WrongShopOrderStatus {
  const message = `The shop order is ${status}; this is not possible now.`;
  return result(WrongShopOrderStatus, { message, status });
}
