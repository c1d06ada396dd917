import { owns } from '../../shared/rights/rights.js';
import type { OrderContext } from '../context.js';
import type { Order } from './order.js';
import type { ShippingAddress } from './shipping-address.js';
import type { ShopOrder } from './shop-order.js';
import { findVisibleShopOrders } from './visible-orders.js';

const dayMs = 24 * 60 * 60 * 1000;

/** How long after delivery a shop sees the shipping address, for questions of the customer. */
const afterDeliveryMs = 30 * dayMs;

/** How long after shipping, if the shop order was not marked as delivered by then. */
const afterShippingMs = 90 * dayMs;

/** Whether the shop of a shop order sees the shipping address: from payment on, while it may need it. */
function needsAddress({ status, shippedAt, deliveredAt }: ShopOrder): boolean {
  if (status === 'CONFIRMED') return true;
  const shippedMs = shippedAt?.getTime();
  if (shippedMs === undefined) return false;
  const deliveredMs = deliveredAt?.getTime();
  // A delivery that is recorded later does not show again what the shop no longer saw.
  const endMs =
    deliveredMs !== undefined && deliveredMs - shippedMs < afterShippingMs
      ? deliveredMs + afterDeliveryMs
      : shippedMs + afterShippingMs;
  return (status === 'SHIPPED' || status === 'DELIVERED') && Date.now() < endMs;
}

/**
 * The shipping address of an order, for its customer and admins, and for a shop while one of its shop orders
 * needs it; null otherwise.
 */
export async function visibleAddress(
  context: OrderContext,
  order: Order,
): Promise<ShippingAddress | null> {
  if (owns(context, order.customerId)) return order.shippingAddress;
  const ofShops = await findVisibleShopOrders(context, order);
  return ofShops.some(needsAddress) ? order.shippingAddress : null;
}
