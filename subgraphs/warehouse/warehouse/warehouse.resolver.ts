import { Arg, Args, Ctx, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql';
import { PageArgs } from '../../shared/graphql/connection.js';
import { loaderOf } from '../../shared/graphql/context.js';
import { loadPagesBy, pageInShard } from '../../shared/graphql/load-pages.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { runOnce } from '../../shared/idempotency/run-once.js';
import { Allow } from '../../shared/rights/rights.js';
import { shownActor } from '../../shared/rights/shown-actor.js';
import type { WarehouseContext } from '../context.js';
import { Shop } from '../references.js';
import { CreateWarehouseInput, createWarehouse } from './create-warehouse.js';
import { requireWarehouse } from './require-warehouse.js';
import { UpdateWarehouseInput, updateWarehouse } from './update-warehouse.js';
import { Warehouse } from './warehouse.js';
import { WarehouseEvent, WarehouseEventConnection } from './warehouse-event.js';
import { SetWarehouseLimitInput, setWarehouseLimit, WarehouseLimit } from './warehouse-limit.js';

const loadEvents = loadPagesBy(WarehouseEvent, 'warehouseId', 'desc', { shard: 'shopId' });

@Resolver(() => Warehouse)
export class WarehouseResolver {
  @Allow('shop-owner')
  @Query(() => Warehouse, { nullable: true, description: 'A warehouse of the signed-in vendor.' })
  warehouse(
    @Arg('id', () => UUID, { description: 'The id of the warehouse.' }) id: string,
    @Ctx() context: WarehouseContext,
  ) {
    return requireWarehouse(context, id);
  }

  @Allow('shop-owner')
  @Mutation(() => Warehouse, { description: 'Adds a warehouse to a shop of the signed-in vendor.' })
  createWarehouse(
    @Arg('input', () => CreateWarehouseInput) input: CreateWarehouseInput,
    @Ctx() context: WarehouseContext,
  ) {
    const mutation = { operation: 'createWarehouse', input, results: [Warehouse] };
    return runOnce(context, mutation, (once) => createWarehouse(context, input, once));
  }

  @Allow('shop-owner')
  @Mutation(() => Warehouse, {
    description: 'Changes the name, address or priority of a warehouse.',
  })
  updateWarehouse(
    @Arg('input', () => UpdateWarehouseInput) input: UpdateWarehouseInput,
    @Ctx() context: WarehouseContext,
  ) {
    return updateWarehouse(context, input);
  }

  @Allow('admin')
  @Mutation(() => WarehouseLimit, {
    description: 'Sets how many warehouses a shop may have; 200 by default.',
  })
  setWarehouseLimit(
    @Arg('input', () => SetWarehouseLimitInput) input: SetWarehouseLimitInput,
    @Ctx() context: WarehouseContext,
  ) {
    return setWarehouseLimit(context, input);
  }

  @Allow('shop-owner')
  @FieldResolver(() => Shop, { nullable: true, description: 'The shop whose stock it stores.' })
  shop(@Root() warehouse: Warehouse): Shop {
    return { id: warehouse.shopId };
  }

  @Allow('shop-owner')
  @FieldResolver(() => WarehouseEventConnection, {
    description: 'When the warehouse was activated and deactivated, and by whom; newest first.',
  })
  events(
    @Root() warehouse: Warehouse,
    @Ctx() context: WarehouseContext,
    @Args(() => PageArgs) page: PageArgs,
  ) {
    return loaderOf(context, loadEvents).load(pageInShard(warehouse.shopId, warehouse.id, page));
  }
}

@Resolver(() => WarehouseEvent)
export class WarehouseEventResolver {
  @Allow('parent')
  @FieldResolver(() => String, {
    description:
      'Who did it: the id of a user, or the name of a component. Shops see `another` in place of an admin.',
  })
  actor(@Root() event: WarehouseEvent, @Ctx() context: WarehouseContext): string {
    return shownActor(context, event.actor);
  }
}
