import { Arg, Args, Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { PageArgs } from '../../shared/graphql/connection.js';
import { loaderOf } from '../../shared/graphql/context.js';
import { loadPagesBy, pageInShard } from '../../shared/graphql/load-pages.js';
import { Allow } from '../../shared/rights/rights.js';
import type { WarehouseContext } from '../context.js';
import { Warehouse } from '../warehouse/warehouse.js';
import { StockLevel, StockLevelConnection } from './stock-level.js';

const loadLevelsOfWarehouses = loadPagesBy(StockLevel, 'warehouseId', 'asc', { shard: 'shopId' });

@Resolver(() => Warehouse)
export class WarehouseLevelsResolver {
  @Allow('shop-owner')
  @FieldResolver(() => StockLevelConnection, { description: 'Stock levels of the warehouse.' })
  async stockLevels(
    @Root() warehouse: Warehouse,
    @Ctx() context: WarehouseContext,
    @Args(() => PageArgs) { first, after }: PageArgs,
    @Arg('sku', () => String, { nullable: true, description: 'Only the level of this variant.' })
    sku?: string | null,
    @Arg('lowOnly', () => Boolean, {
      defaultValue: false,
      description: 'Only levels that are low.',
    })
    lowOnly?: boolean,
  ) {
    await context.app.owners.requireOwn(context, warehouse.shopId);
    const where = { ...(sku && { sku }), ...(lowOnly && { isLowStock: true }) };
    return loaderOf(context, loadLevelsOfWarehouses).load(
      pageInShard(warehouse.shopId, warehouse.id, { first, after }, where),
    );
  }
}
