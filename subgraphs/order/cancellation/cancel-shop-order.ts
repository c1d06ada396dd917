import type { OrderContext } from '../context.js';
import { changeShopOrder } from '../fulfilment/change-shop-order.js';
import { reverseSale } from './reverse-sale.js';

const reason = 'BY_SHOP';

/**
 * Cancels a shop’s part of a paid order, as long as it is not shipped: its money and its units go
 * back.
 *
 * @throws as `changeShopOrder` does
 */
export function cancelShopOrder(context: OrderContext, id: string) {
  return changeShopOrder(context, id, { to: 'CANCELLED', reason }, (em, order, shopOrder, actor) =>
    reverseSale(em, order, [shopOrder], { actor, reason }),
  );
}
