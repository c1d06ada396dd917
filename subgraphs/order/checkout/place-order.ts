import { v7 as uuidv7 } from 'uuid';
import type { EntityManager } from '../../shared/database.js';
import { newId } from '../../shared/ids.js';
import { lineTotal, sumOf } from '../../shared/money.js';
import { Order, type ShippingAddress } from '../order/order.js';
import { OrderEvent } from '../order/order-event.js';
import { OrderItem, ShopOrder } from '../order/shop-order.js';
import type { OfferForSale } from './offers-for-sale.js';

export interface OrderLine {
  readonly offer: OfferForSale;
  readonly quantity: number;
}

export const totalOf = (lines: readonly OrderLine[]): string =>
  sumOf(lines.map(({ offer, quantity }) => lineTotal(offer.priceAmount, quantity)));

/** Writes a PENDING order with its parts and lines, in one transaction; nothing is held yet. */
export async function placeOrder(
  em: EntityManager,
  order: { id: string; customerId: string; shippingAddress: ShippingAddress },
  lines: readonly OrderLine[],
): Promise<void> {
  const fork = em.fork();
  fork.persist(
    fork.create(Order, {
      ...order,
      status: 'PENDING',
      cancelReason: null,
      totalAmount: totalOf(lines),
      currencyCode: lines[0]?.offer.currencyCode as string,
      expiresAt: null,
    }),
  );
  fork.persist(
    fork.create(OrderEvent, {
      id: newId(),
      orderId: order.id,
      shopOrderId: null,
      type: 'PLACED',
      actor: order.customerId,
      reason: null,
    }),
  );
  for (const [shopId, ofShop] of Map.groupBy(lines, ({ offer }) => offer.shopId)) {
    const shopOrderId = uuidv7();
    fork.persist(
      fork.create(ShopOrder, { id: shopOrderId, orderId: order.id, shopId, status: 'PENDING' }),
    );
    for (const { offer, quantity } of ofShop) {
      const item = {
        id: uuidv7(),
        shopOrderId,
        offerId: offer.id,
        sku: offer.sku,
        name: offer.name,
        unitPriceAmount: offer.priceAmount,
        currencyCode: offer.currencyCode,
        quantity,
      };
      fork.persist(fork.create(OrderItem, item));
    }
  }
  await fork.flush();
}
