import { Arg, Ctx, Directive, FieldResolver, Int, Query, Resolver, Root } from 'type-graphql';
import { loaderOf } from '../../shared/graphql/context.js';
import { ListMax } from '../../shared/graphql/list-max.js';
import { loadAllInShards } from '../../shared/graphql/load.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { lineTotal, Money, money, sumOf } from '../../shared/money.js';
import { Allow } from '../../shared/rights/rights.js';
import type { OrderContext } from '../context.js';
import { Offer, ProductVariant, Shop } from '../references.js';
import { orderKeyOf } from '../row-key.js';
import { Order } from './order.js';
import { itemsMax, OrderItem, ShopOrder, ShopOrderRefOutput } from './shop-order.js';
import { findVisibleOrder, loadShopOrders } from './visible-orders.js';

const loadItems = loadAllInShards(OrderItem, 'customerId', 'shopOrderId', { id: 'asc' });

const totalOf = (item: OrderItem) => lineTotal(item.unitPriceAmount, item.quantity);

@Resolver(() => ShopOrder)
export class ShopOrderResolver {
  @Directive('@inaccessible')
  @Allow('caller:warehouse')
  @Query(() => ShopOrderRefOutput, {
    nullable: true,
    description: 'The order, shop and status of a shop order.',
  })
  async shopOrderById(
    @Arg('id', () => UUID, { description: 'Id of the shop order.' }) id: string,
    @Ctx() { em }: OrderContext,
  ): Promise<ShopOrderRefOutput | null> {
    const found = await em.findOne(ShopOrder, { id });
    return found && { orderId: found.orderId, shopId: found.shopId, status: found.status };
  }

  @Allow('own', 'shop-owner')
  @FieldResolver(() => Order, { description: 'The order that it belongs to.' })
  order(@Root() shopOrder: ShopOrder, @Ctx() context: OrderContext) {
    return findVisibleOrder(context, orderKeyOf(shopOrder));
  }

  @Allow('own', 'shop-owner')
  @FieldResolver(() => Shop, { nullable: true, description: 'The shop.' })
  shop(@Root() shopOrder: ShopOrder): Shop {
    return { id: shopOrder.shopId };
  }

  @Allow('own', 'shop-owner')
  @ListMax(itemsMax, ['Order.shopOrders'])
  @FieldResolver(() => [OrderItem], { description: 'Lines.' })
  items(@Root() shopOrder: ShopOrder, @Ctx() context: OrderContext) {
    return loaderOf(context, loadItems).load(shopOrder);
  }

  @Allow('own', 'shop-owner')
  @FieldResolver(() => Money, { description: 'Sum of all lines, as ordered.' })
  async subtotal(@Root() shopOrder: ShopOrder, @Ctx() context: OrderContext) {
    const items = await loaderOf(context, loadItems).load(shopOrder);
    return money(sumOf(items.map(totalOf)), items[0]?.currencyCode as string);
  }
}

@Resolver(() => OrderItem)
export class OrderItemResolver {
  @Allow('parent')
  @FieldResolver(() => Offer, { nullable: true, description: 'The offer that was ordered.' })
  offer(@Root() item: OrderItem): Offer {
    return { id: item.offerId };
  }

  @Allow('parent')
  @FieldResolver(() => ProductVariant, {
    nullable: true,
    description: 'The product variant that was ordered.',
  })
  variant(@Root() item: OrderItem): ProductVariant {
    return { sku: item.sku };
  }

  @Allow('parent')
  @FieldResolver(() => Int, { description: 'Units of `quantity` that were cancelled.' })
  async cancelledQuantity(@Root() item: OrderItem, @Ctx() context: OrderContext): Promise<number> {
    const { customerId, shopOrderId: id } = item;
    const shopOrder = await loaderOf(context, loadShopOrders).load({ customerId, id });
    return shopOrder?.neverPaid ? item.quantity : item.cancelledQuantity;
  }

  @Allow('parent')
  @FieldResolver(() => Money, { description: 'Price of one unit when the order was placed.' })
  unitPrice(@Root() item: OrderItem): Money {
    return money(item.unitPriceAmount, item.currencyCode);
  }

  @Allow('parent')
  @FieldResolver(() => Money, { description: 'Price of all units that were ordered of this line.' })
  lineTotal(@Root() item: OrderItem): Money {
    return money(totalOf(item), item.currencyCode);
  }
}
