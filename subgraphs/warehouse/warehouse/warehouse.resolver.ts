import { Arg, Ctx, FieldResolver, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import { findPage, loadBy } from '../../shared/load.js';
import { Allow } from '../../shared/rights.js';
import { UUID } from '../../shared/scalars.js';
import type { WarehouseContext } from '../context.js';
import { Shop } from '../shop/shop.js';
import { StockLevel, StockLevelConnection } from '../stock/stock-level.js';
import { CreateWarehouseInput, createWarehouse } from './create-warehouse.js';
import { ownWarehouse } from './own-warehouse.js';
import { Warehouse } from './warehouse.js';

export const loadWarehouses = loadBy(Warehouse, 'id');

@Resolver(() => Warehouse)
export class WarehouseResolver {
  @Allow('shop-owner')
  @Query(() => Warehouse, { nullable: true, description: 'A warehouse of one’s own.' })
  warehouse(
    @Arg('id', () => UUID, { description: 'Its id.' }) id: string,
    @Ctx() context: WarehouseContext,
  ) {
    return ownWarehouse(context, id);
  }

  @Allow('shop-owner')
  @Mutation(() => Warehouse, { description: 'Adds a warehouse to a shop of one’s own.' })
  createWarehouse(
    @Arg('input', () => CreateWarehouseInput) input: CreateWarehouseInput,
    @Ctx() context: WarehouseContext,
  ) {
    return createWarehouse(context, input);
  }

  @Allow('shop-owner')
  @FieldResolver(() => Shop, { nullable: true, description: 'The shop whose stock it holds.' })
  shop(@Root() warehouse: Warehouse): Shop {
    return { id: warehouse.shopId };
  }

  @Allow('shop-owner')
  @FieldResolver(() => StockLevelConnection, { description: 'What stands in it.' })
  async stockLevels(
    @Root() warehouse: Warehouse,
    @Ctx() context: WarehouseContext,
    @Arg('first', () => Int, { defaultValue: 20, description: '1 to 100.' }) first: number,
    @Arg('after', () => String, { nullable: true, description: 'An `endCursor`.' }) after?: string,
    @Arg('sku', () => String, { nullable: true, description: 'Of this variant only.' })
    sku?: string,
  ) {
    await context.app.owners.requireOwn(context, warehouse.shopId);
    const where = { warehouseId: warehouse.id, ...(sku && { sku }) };
    return findPage(context.em, StockLevel, where, { first, after, order: 'asc' });
  }
}
