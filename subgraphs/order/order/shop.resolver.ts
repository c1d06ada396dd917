import { Arg, Args, Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { PageArgs } from '../../shared/graphql/connection.js';
import { loaderOf } from '../../shared/graphql/context.js';
import { loadPagesBy, pageOf } from '../../shared/graphql/load-pages.js';
import { Allow } from '../../shared/rights/rights.js';
import type { OrderContext } from '../context.js';
import { Shop } from '../references.js';
import { ShopOrder, ShopOrderConnection } from './shop-order.js';
import { OrderStatus } from './status.js';
import { visibleToShop } from './visible-orders.js';

const loadShopOrders = loadPagesBy(ShopOrder, 'shopId', 'desc', { condition: visibleToShop });

@Resolver(() => Shop)
export class ShopResolver {
  @Allow('shop-owner')
  @FieldResolver(() => ShopOrderConnection, {
    nullable: true,
    description: 'Shop orders of the shop, newest first. Visible to its owner only.',
  })
  async orders(
    @Root() shop: Shop,
    @Ctx() context: OrderContext,
    @Args(() => PageArgs) { first, after }: PageArgs,
    @Arg('status', () => OrderStatus, {
      nullable: true,
      description: 'Only orders with this status.',
    })
    status?: OrderStatus,
  ) {
    await context.app.owners.requireOwn(context, shop.id);
    const page = pageOf(shop.id, { first, after }, status ? { status } : {});
    return loaderOf(context, loadShopOrders).load(page);
  }
}
