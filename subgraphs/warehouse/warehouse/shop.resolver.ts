import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { loaderOf } from '../../shared/graphql/context.js';
import { loadAllBy } from '../../shared/graphql/load.js';
import { Allow } from '../../shared/rights/rights.js';
import type { WarehouseContext } from '../context.js';
import { Shop } from '../references.js';
import { Warehouse } from './warehouse.js';

const loadWarehousesOfShops = loadAllBy(Warehouse, 'shopId', { priority: 'asc', id: 'asc' });

@Resolver(() => Shop)
export class ShopResolver {
  @Allow('shop-owner')
  @FieldResolver(() => [Warehouse], {
    nullable: true,
    description: 'Warehouses of the shop, in order of priority. Visible to its owner only.',
  })
  async warehouses(@Root() shop: Shop, @Ctx() context: WarehouseContext) {
    await context.app.owners.requireOwn(context, shop.id);
    return loaderOf(context, loadWarehousesOfShops).load(shop.id);
  }
}
