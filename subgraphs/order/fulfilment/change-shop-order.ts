import type { EntityManager } from '@mikro-orm/postgresql';
import { identityOf } from '../../shared/auth/callers.js';
import { notFound } from '../../shared/errors.js';
import { result } from '../../shared/graphql/refusal.js';
import type { OrderContext } from '../context.js';
import { ShopOrder } from '../order/shop-order.js';
import {
  changeParts,
  type LockedOrder,
  type LockedPart,
  lockOrder,
  type PartsChange,
  partComesFrom,
} from './change-shop-orders.js';
import { WrongShopOrderStatus } from './shop-order-result.js';

type Step = Omit<PartsChange, 'partIds' | 'actor'>;
/** what else belongs to the step, in its transaction */
type Also = (
  em: EntityManager,
  order: LockedOrder,
  part: LockedPart,
  actor: string,
) => Promise<void>;

/**
 * Takes a shop’s part of an order one step on, if it is where that step begins.
 *
 * @throws `NOT_FOUND`; `FORBIDDEN` where the shop is not the user’s
 */
export async function changeShopOrder(
  context: OrderContext,
  id: string,
  step: Step,
  also: Also = async () => {},
): Promise<ShopOrder | WrongShopOrderStatus> {
  const { id: actor } = identityOf(context);
  const { orderId } = await requireOwnPart(context, id);
  const status = await context.em.fork().transactional(async (em) => {
    const order = await lockOrder(em, orderId);
    const part = order.parts.find((each) => each.id === id) as LockedPart;
    if (part.status !== partComesFrom[step.to]) return part.status;
    await changeParts(em, order, { ...step, partIds: [id], actor });
    await also(em, order, part, actor);
    return null;
  });
  if (!status) return context.em.fork().findOneOrFail(ShopOrder, id);
  const message = `The shop’s part of the order is ${status}.`;
  return result(WrongShopOrderStatus, { message, status });
}

async function requireOwnPart(context: OrderContext, id: string): Promise<ShopOrder> {
  const part = await context.em.fork().findOne(ShopOrder, id);
  if (!part) throw notFound('shop order', id);
  await context.app.owners.requireOwn(context, part.shopId);
  return part;
}
