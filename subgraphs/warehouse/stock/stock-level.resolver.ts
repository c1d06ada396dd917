import { Arg, Args, Ctx, FieldResolver, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import { identityOf } from '../../shared/auth/callers.js';
import { PageArgs } from '../../shared/graphql/connection.js';
import { loaderOf } from '../../shared/graphql/context.js';
import { loadBy } from '../../shared/graphql/load.js';
import { pageInShard } from '../../shared/graphql/load-pages.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { runOnce } from '../../shared/idempotency/run-once.js';
import { Allow } from '../../shared/rights/rights.js';
import type { WarehouseContext } from '../context.js';
import { ProductVariant } from '../references.js';
import { loadWarehouses, requireWarehouse } from '../warehouse/require-warehouse.js';
import { Warehouse } from '../warehouse/warehouse.js';
import {
  AdjustStockInput,
  AdjustStockResult,
  adjustStock,
  changeOf,
  StaleStock,
} from './adjust-stock.js';
import { availableUnits } from './level-units.js';
import { listAllLowStock, listLowStock } from './list-low-stock.js';
import { loadMovements } from './load-movements.js';
import {
  MarkUnavailableInput,
  MarkUnavailableResult,
  markUnavailable,
} from './mark-unavailable.js';
import { NotEnoughOnHand } from './not-enough-on-hand.js';
import { NotEnoughUnavailable } from './not-enough-unavailable.js';
import { ReceiveStockInput, receiveStock } from './receive-stock.js';
import { requireSku } from './require-skus.js';
import { LowStockThresholdInput, setLowStockThreshold } from './set-low-stock-threshold.js';
import { StockBufferInput, setStockBuffer } from './set-stock-buffer.js';
import { StockSnapshot, stockAt } from './stock-at.js';
import { StockLevel, StockLevelConnection } from './stock-level.js';
import { StockMovementConnection } from './stock-movement.js';
import type { StockContext } from './stock-store.js';

const loadStockLevels = loadBy(StockLevel, 'id');

/** @throws `FORBIDDEN` unless the shop is the user’s or the user is an admin */
export async function readOwnStockLevel(context: WarehouseContext, id: string) {
  const level = await loaderOf(context, loadStockLevels).load(id);
  if (level) await context.app.owners.requireOwn(context, level.shopId);
  return level;
}

@Resolver(() => StockLevel)
export class StockLevelResolver {
  @Allow('shop-owner')
  @Mutation(() => StockLevel, { description: 'Adds received units to a stock level.' })
  async receiveStock(
    @Arg('input', () => ReceiveStockInput) input: ReceiveStockInput,
    @Ctx() context: StockContext,
  ) {
    const mutation = { operation: 'receiveStock', input, results: [StockLevel] };
    return runOnce(context, mutation, async (once) => {
      const warehouse = await requireWarehouse(context, input.warehouseId);
      const { sku, quantity, reference = null, threshold } = input;
      await requireSku(context, warehouse, sku);
      const actor = identityOf(context).id;
      const receipt = { warehouse, sku, quantity, reference, threshold, actor };
      return receiveStock(context.app, receipt, once);
    });
  }

  @Allow('shop-owner')
  @Mutation(() => AdjustStockResult, {
    description: 'Corrects a stock level. The reason is stored in its history.',
  })
  async adjustStock(
    @Arg('input', () => AdjustStockInput) input: AdjustStockInput,
    @Ctx() context: StockContext,
  ): Promise<typeof AdjustStockResult> {
    const change = changeOf(input);
    const results = [StockLevel, StaleStock, NotEnoughOnHand, NotEnoughUnavailable];
    return runOnce(context, { operation: 'adjustStock', input, results }, async (once) => {
      const warehouse = await requireWarehouse(context, input.warehouseId);
      const { sku, reason } = input;
      await requireSku(context, warehouse, sku);
      const actor = identityOf(context).id;
      return adjustStock(context.app, { warehouse, sku, reason, actor, ...change }, once);
    });
  }

  @Allow('shop-owner')
  @Mutation(() => StockLevel, { description: 'Sets the low-stock threshold of a stock level.' })
  setLowStockThreshold(
    @Arg('input', () => LowStockThresholdInput) input: LowStockThresholdInput,
    @Ctx() context: StockContext,
  ) {
    return setLowStockThreshold(context, input);
  }

  @Allow('shop-owner')
  @Mutation(() => StockLevel, { description: 'Keeps units of a stock level back from sale.' })
  async setStockBuffer(
    @Arg('input', () => StockBufferInput) input: StockBufferInput,
    @Ctx() context: StockContext,
  ) {
    const warehouse = await requireWarehouse(context, input.warehouseId);
    const { sku, buffer } = input;
    await requireSku(context, warehouse, sku);
    return setStockBuffer(context.app, { warehouse, sku, buffer });
  }

  @Allow('shop-owner')
  @Mutation(() => MarkUnavailableResult, {
    description:
      'Marks units on hand as unavailable, such as damaged ones, or as available again. The reason is stored in the history.',
  })
  async markUnavailable(
    @Arg('input', () => MarkUnavailableInput) input: MarkUnavailableInput,
    @Ctx() context: StockContext,
  ): Promise<typeof MarkUnavailableResult> {
    const results = [StockLevel, NotEnoughOnHand, NotEnoughUnavailable];
    return runOnce(context, { operation: 'markUnavailable', input, results }, async (once) => {
      const warehouse = await requireWarehouse(context, input.warehouseId);
      const { sku, delta, reason } = input;
      const actor = identityOf(context).id;
      return markUnavailable(context.app, { warehouse, sku, delta, reason, actor }, once);
    });
  }

  @Allow('shop-owner')
  @Query(() => StockLevelConnection, {
    description:
      'Low stock levels of one shop; without `shopId`, of all shops of the signed-in vendor, or for an admin of all shops.',
  })
  async lowStock(
    @Ctx() context: StockContext,
    @Arg('shopId', () => UUID, { nullable: true, description: 'Only levels of this shop.' })
    shopId: string | null | undefined,
    @Args(() => PageArgs) { first, after }: PageArgs,
  ) {
    const { owners } = context.app;
    const { id, role } = identityOf(context);
    const page = { first, after };
    if (!shopId && role === 'ADMIN') return listAllLowStock(context.em, page);
    if (shopId) await owners.requireOwn(context, shopId);
    return listLowStock(context.em, shopId ? [shopId] : await owners.shopsOf(id), page);
  }

  @Allow('shop-owner')
  @Query(() => StockSnapshot, { description: 'A stock level at some time, from its history.' })
  async stockAt(
    @Arg('warehouseId', () => UUID, { description: 'The warehouse.' }) warehouseId: string,
    @Arg('sku', () => String, { description: 'The variant.' }) sku: string,
    @Arg('at', () => Date, { description: 'The time; movements at this moment count.' }) at: Date,
    @Ctx() context: StockContext,
  ): Promise<StockSnapshot> {
    const { shopId } = await requireWarehouse(context, warehouseId);
    return stockAt(context.em, { shopId, warehouseId, sku, at });
  }

  @Allow('shop-owner')
  @FieldResolver(() => StockMovementConnection, {
    description: 'History of the level, newest first.',
  })
  movements(
    @Root() level: StockLevel,
    @Ctx() context: StockContext,
    @Args(() => PageArgs) { first, after }: PageArgs,
  ) {
    return loaderOf(context, loadMovements).load(
      pageInShard(level.shopId, level.id, { first, after }),
    );
  }

  @Allow('shop-owner')
  @FieldResolver(() => Boolean, {
    description: 'Whether fewer units are available than the threshold.',
  })
  isLowStock(@Root() level: StockLevel): boolean {
    return availableUnits(level) < level.lowStockThreshold;
  }

  @Allow('shop-owner')
  @FieldResolver(() => Int, {
    description:
      'Units that can be sold while the warehouse is active: those on hand that are not reserved, committed, unavailable or in the buffer.',
  })
  available(@Root() level: StockLevel): number {
    return availableUnits(level);
  }

  @Allow('shop-owner')
  @FieldResolver(() => Warehouse, { description: 'The warehouse.' })
  warehouse(@Root() level: StockLevel, @Ctx() context: StockContext) {
    return loaderOf(context, loadWarehouses).load(level.warehouseId);
  }

  @Allow('shop-owner')
  @FieldResolver(() => ProductVariant, { nullable: true, description: 'The variant.' })
  variant(@Root() level: StockLevel): ProductVariant {
    return { sku: level.sku };
  }
}
