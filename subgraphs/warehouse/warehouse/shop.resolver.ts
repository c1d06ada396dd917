import { Args, Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { PageArgs } from '../../shared/graphql/connection.js';
import { loaderOf } from '../../shared/graphql/context.js';
import { Allow } from '../../shared/rights/rights.js';
import type { WarehouseContext } from '../context.js';
import { Shop } from '../references.js';
import { loadWarehousesOfShops, warehousePage } from './load-warehouses.js';
import { WarehouseConnection } from './warehouse.js';

@Resolver(() => Shop)
export class ShopResolver {
  @Allow('shop-owner')
  @FieldResolver(() => WarehouseConnection, {
    nullable: true,
    description: 'Warehouses of the shop, in order of priority. Visible to its owner only.',
  })
  async warehouses(
    @Root() shop: Shop,
    @Ctx() context: WarehouseContext,
    @Args(() => PageArgs) page: PageArgs,
  ) {
    await context.app.owners.requireOwn(context, shop.id);
    return loaderOf(context, loadWarehousesOfShops).load(warehousePage(shop.id, page));
  }
}
