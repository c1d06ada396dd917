import { Arg, Ctx, FieldResolver, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import { loaderOf } from '../../shared/graphql/context.js';
import { loadPagesBy, pageOf } from '../../shared/graphql/load-pages.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';
import {
  DeactivateWarehouseResult,
  setWarehouseActive,
} from '../activation/set-warehouse-active.js';
import type { WarehouseContext } from '../context.js';
import { Shop } from '../references.js';
import { StockLevel, StockLevelConnection } from '../stock/stock-level.js';
import { CreateWarehouseInput, createWarehouse } from './create-warehouse.js';
import { ownWarehouse } from './require-warehouse.js';
import { UpdateWarehouseInput, updateWarehouse } from './update-warehouse.js';
import { Warehouse } from './warehouse.js';

const loadLevelsOfWarehouses = loadPagesBy(StockLevel, 'warehouseId', 'asc');

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
  @Mutation(() => Warehouse, { description: 'Changes name, address or priority of a warehouse.' })
  updateWarehouse(
    @Arg('input', () => UpdateWarehouseInput) input: UpdateWarehouseInput,
    @Ctx() context: WarehouseContext,
  ) {
    return updateWarehouse(context, input);
  }

  @Allow('shop-owner')
  @Mutation(() => Warehouse, { description: 'Opens a warehouse: what stands in it can be sold.' })
  async activateWarehouse(
    @Arg('id', () => UUID, { description: 'Its id.' }) id: string,
    @Ctx() context: WarehouseContext,
  ) {
    await ownWarehouse(context, id);
    await setWarehouseActive(context.app, id, true);
    return context.em.fork().findOneOrFail(Warehouse, id);
  }

  @Allow('shop-owner')
  @Mutation(() => DeactivateWarehouseResult, {
    description: 'Closes a warehouse for sale. What is held there for orders stays held.',
  })
  async deactivateWarehouse(
    @Arg('id', () => UUID, { description: 'Its id.' }) id: string,
    @Ctx() context: WarehouseContext,
  ): Promise<DeactivateWarehouseResult> {
    await ownWarehouse(context, id);
    const { units, reserved } = await setWarehouseActive(context.app, id, false);
    const warehouse = await context.em.fork().findOneOrFail(Warehouse, id);
    return { warehouse, unitsWithdrawn: units, unitsReserved: reserved };
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
    sku?: string | null,
    @Arg('lowOnly', () => Boolean, { defaultValue: false, description: 'Only those that are low.' })
    lowOnly?: boolean,
  ) {
    await context.app.owners.requireOwn(context, warehouse.shopId);
    const where = { ...(sku && { sku }), ...(lowOnly && { isLowStock: true }) };
    return loaderOf(context, loadLevelsOfWarehouses).load(
      pageOf(warehouse.id, { first, after }, where),
    );
  }
}
