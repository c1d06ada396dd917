import type { OrderContext } from '../context.js';
import { changeShopOrder } from '../fulfilment/change-shop-order.js';
import { reverseSale } from './reverse-sale.js';

const reason = 'BY_SHOP';

/**
 * Cancels a paid shop order that is not shipped yet: it is refunded and its units are returned.
 *
 * @throws as `changeShopOrder` does
 */
export function cancelShopOrder(context: OrderContext, id: string) {
  return changeShopOrder(context, id, { to: 'CANCELLED', reason }, (em, order, shopOrder, actor) =>
    reverseSale(em, order, [shopOrder], { actor, reason }),
  );
}
