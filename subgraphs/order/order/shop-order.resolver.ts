import { Arg, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import { loaderOf } from '../../shared/graphql/context.js';
import { loadAllBy, loadBy, uncached } from '../../shared/graphql/load.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { lineTotal, Money, money, sumOf } from '../../shared/money.js';
import { Allow } from '../../shared/rights/rights.js';
import { cancelShopOrder } from '../cancellation/cancel-shop-order.js';
import type { OrderContext } from '../context.js';
import { deliverShopOrder } from '../fulfilment/deliver-shop-order.js';
import { ShipShopOrderInput, shipShopOrder } from '../fulfilment/ship-shop-order.js';
import { ShopOrderResult } from '../fulfilment/shop-order-result.js';
import { Offer } from '../offer/offer.js';
import { Shop } from '../shop/shop.js';
import { ProductVariant } from '../variant/variant.js';
import { Order } from './order.js';
import { OrderItem, ShopOrder } from './shop-order.js';
import { ownOrder, servesShop, visibleOrder } from './visible-orders.js';

const loadShopOrders = uncached(loadBy(ShopOrder, 'id'));

const loadItems = loadAllBy(OrderItem, 'shopOrderId', { id: 'asc' });

/** The part, if its order or its shop is the user's or the user is an admin; null otherwise. */
export async function visibleShopOrder(
  context: OrderContext,
  id: string,
): Promise<ShopOrder | null> {
  const part = await loaderOf(context, loadShopOrders).load(id);
  if (!part || (await ownOrder(context, part.orderId))) return part;
  return (await servesShop(context, part.shopId)) ? part : null;
}

const totalOf = (item: OrderItem) => lineTotal(item.unitPriceAmount, item.quantity);

@Resolver(() => ShopOrder)
export class ShopOrderResolver {
  @Allow('shop-owner')
  @Mutation(() => ShopOrderResult, { description: 'Says that a shop’s part is on its way.' })
  shipShopOrder(
    @Arg('input', () => ShipShopOrderInput) input: ShipShopOrderInput,
    @Ctx() context: OrderContext,
  ) {
    return shipShopOrder(context, input);
  }

  @Allow('shop-owner')
  @Mutation(() => ShopOrderResult, { description: 'Says that a shop’s part arrived.' })
  deliverShopOrder(
    @Arg('id', () => UUID, { description: 'The part.' }) id: string,
    @Ctx() context: OrderContext,
  ) {
    return deliverShopOrder(context, id);
  }

  @Allow('shop-owner')
  @Mutation(() => ShopOrderResult, {
    description: 'Cancels a shop’s part that is paid and not shipped; its money goes back.',
  })
  cancelShopOrder(
    @Arg('id', () => UUID, { description: 'The part.' }) id: string,
    @Ctx() context: OrderContext,
  ) {
    return cancelShopOrder(context, id);
  }

  @Allow('own', 'shop-owner')
  @FieldResolver(() => Order, { description: 'The order it is a part of.' })
  order(@Root() shopOrder: ShopOrder, @Ctx() context: OrderContext) {
    return visibleOrder(context, shopOrder.orderId);
  }

  @Allow('own', 'shop-owner')
  @FieldResolver(() => Shop, { nullable: true, description: 'The shop that serves it.' })
  shop(@Root() shopOrder: ShopOrder): Shop {
    return { id: shopOrder.shopId };
  }

  @Allow('own', 'shop-owner')
  @FieldResolver(() => [OrderItem], { description: 'Its lines.' })
  items(@Root() shopOrder: ShopOrder, @Ctx() context: OrderContext) {
    return loaderOf(context, loadItems).load(shopOrder.id);
  }

  @Allow('own', 'shop-owner')
  @FieldResolver(() => Money, { description: 'The sum of its lines.' })
  async subtotal(@Root() shopOrder: ShopOrder, @Ctx() context: OrderContext) {
    const items = await loaderOf(context, loadItems).load(shopOrder.id);
    return money(sumOf(items.map(totalOf)), items[0]?.currencyCode as string);
  }
}

@Resolver(() => OrderItem)
export class OrderItemResolver {
  @Allow('parent')
  @FieldResolver(() => Offer, { nullable: true, description: 'The offer it was bought by.' })
  offer(@Root() item: OrderItem): Offer {
    return { id: item.offerId };
  }

  @Allow('parent')
  @FieldResolver(() => ProductVariant, { nullable: true, description: 'What was bought.' })
  variant(@Root() item: OrderItem): ProductVariant {
    return { sku: item.sku };
  }

  @Allow('parent')
  @FieldResolver(() => Money, { description: 'The price of one unit, as it was.' })
  unitPrice(@Root() item: OrderItem): Money {
    return money(item.unitPriceAmount, item.currencyCode);
  }

  @Allow('parent')
  @FieldResolver(() => Money, { description: 'The price of all units of this line.' })
  lineTotal(@Root() item: OrderItem): Money {
    return money(totalOf(item), item.currencyCode);
  }
}
