import { Arg, Args, Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { PageArgs } from '../../shared/graphql/connection.js';
import { loaderOf } from '../../shared/graphql/context.js';
import { loadPagesBy, pageOf } from '../../shared/graphql/load-pages.js';
import { Allow } from '../../shared/rights/rights.js';
import type { OrderContext } from '../context.js';
import { Shop } from '../references.js';
import { ShopOrder, ShopOrderConnection } from './shop-order.js';
import { ShopOrderSort } from './shop-order-sort.js';
import { OrderStatus } from './status.js';
import { visibleToShop } from './visible-orders.js';

const visible = { condition: visibleToShop };
const loadShopOrders = {
  NEWEST_FIRST: loadPagesBy(ShopOrder, 'shopId', 'desc', visible),
  OLDEST_FIRST: loadPagesBy(ShopOrder, 'shopId', 'asc', visible),
};

@Resolver(() => Shop)
export class ShopResolver {
  @Allow('shop-owner')
  @FieldResolver(() => ShopOrderConnection, {
    nullable: true,
    description: 'Shop orders of the shop. Visible to its owner only.',
  })
  async orders(
    @Root() shop: Shop,
    @Ctx() context: OrderContext,
    @Args(() => PageArgs) { first, after }: PageArgs,
    @Arg('status', () => OrderStatus, {
      nullable: true,
      description: 'Only orders with this status.',
    })
    status: OrderStatus | null | undefined,
    @Arg('sort', () => ShopOrderSort, {
      defaultValue: ShopOrderSort.NEWEST_FIRST,
      description:
        'Order of the list. A cursor is valid with both: the list continues from its entry in this order.',
    })
    sort: ShopOrderSort,
  ) {
    await context.app.owners.requireOwn(context, shop.id);
    const page = pageOf(shop.id, { first, after }, status ? { status } : {});
    return loaderOf(context, loadShopOrders[sort]).load(page);
  }
}
