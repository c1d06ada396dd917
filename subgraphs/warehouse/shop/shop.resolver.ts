import { Authorized, Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { type BatchLoad, loaderOf } from '../../shared/context.js';
import type { WarehouseContext } from '../context.js';
import { Warehouse } from '../warehouse/warehouse.js';
import { Shop } from './shop.js';

const loadWarehousesOfShops: BatchLoad<string, Warehouse[], WarehouseContext> = async (
  shopIds,
  { em },
) => {
  const where = { shopId: { $in: [...shopIds] } };
  const rows = await em.find(Warehouse, where, { orderBy: { priority: 'asc', id: 'asc' } });
  const byShop = Map.groupBy(rows, (row) => row.shopId);
  return shopIds.map((id) => byShop.get(id) ?? []);
};

@Resolver(() => Shop)
export class ShopResolver {
  @Authorized('vendor')
  @FieldResolver(() => [Warehouse], {
    nullable: true,
    description: 'Its warehouses, in order of priority; for its owner only.',
  })
  async warehouses(@Root() shop: Shop, @Ctx() context: WarehouseContext) {
    await context.app.owners.requireOwn(context, shop.id);
    return loaderOf(context, loadWarehousesOfShops).load(shop.id);
  }
}
