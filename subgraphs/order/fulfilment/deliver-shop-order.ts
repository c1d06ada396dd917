import type { OrderContext } from '../context.js';
import { changeShopOrder } from './change-shop-order.js';

/** Says that a shop’s part of an order arrived; @throws as `changeShopOrder` does */
export const deliverShopOrder = (context: OrderContext, id: string) =>
  changeShopOrder(context, id, { to: 'DELIVERED' });
