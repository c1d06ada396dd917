import { Arg, Ctx, FieldResolver, Int, Mutation, Resolver, Root } from 'type-graphql';
import { identityOf } from '../../shared/auth.js';
import { loaderOf } from '../../shared/context.js';
import { loadBy } from '../../shared/load.js';
import { Allow } from '../../shared/rights.js';
import type { WarehouseContext } from '../context.js';
import { requireSku } from '../variant/require-skus.js';
import { ProductVariant } from '../variant/variant.js';
import { loadWarehouses, ownWarehouse } from '../warehouse/own-warehouse.js';
import { Warehouse } from '../warehouse/warehouse.js';
import { AdjustStockInput, AdjustStockResult, adjustStock, changeOf } from './adjust-stock.js';
import { ReceiveStockInput, receiveStock } from './receive-stock.js';
import { StockLevel } from './stock-level.js';

export const loadStockLevels = loadBy(StockLevel, 'id');

@Resolver(() => StockLevel)
export class StockLevelResolver {
  @Allow('shop-owner')
  @Mutation(() => StockLevel, { description: 'Takes in stock that arrives at a warehouse.' })
  async receiveStock(
    @Arg('input', () => ReceiveStockInput) input: ReceiveStockInput,
    @Ctx() context: WarehouseContext,
  ) {
    const warehouse = await ownWarehouse(context, input.warehouseId);
    const { sku, quantity, reference = null } = input;
    await requireSku(context, warehouse, sku);
    const actor = identityOf(context).id;
    return receiveStock(context.app, { warehouse, sku, quantity, reference, actor });
  }

  @Allow('shop-owner')
  @Mutation(() => AdjustStockResult, { description: 'Corrects a level; the reason is kept.' })
  async adjustStock(
    @Arg('input', () => AdjustStockInput) input: AdjustStockInput,
    @Ctx() context: WarehouseContext,
  ): Promise<typeof AdjustStockResult> {
    const change = changeOf(input);
    const warehouse = await ownWarehouse(context, input.warehouseId);
    const { sku, reason } = input;
    await requireSku(context, warehouse, sku);
    const actor = identityOf(context).id;
    return adjustStock(context.app, { warehouse, sku, reason, actor, ...change });
  }

  @Allow('shop-owner')
  @FieldResolver(() => Boolean, {
    description: 'Whether fewer units are available than the threshold.',
  })
  isLowStock(@Root() { onHand, reserved, lowStockThreshold }: StockLevel): boolean {
    return onHand - reserved < lowStockThreshold;
  }

  @Allow('shop-owner')
  @FieldResolver(() => Int, { description: 'Units on hand that are not reserved.' })
  available(@Root() level: StockLevel): number {
    return level.onHand - level.reserved;
  }

  @Allow('shop-owner')
  @FieldResolver(() => Warehouse, { description: 'Where it stands.' })
  warehouse(@Root() level: StockLevel, @Ctx() context: WarehouseContext) {
    return loaderOf(context, loadWarehouses).load(level.warehouseId);
  }

  @Allow('shop-owner')
  @FieldResolver(() => ProductVariant, { nullable: true, description: 'What stands there.' })
  variant(@Root() level: StockLevel): ProductVariant {
    return { sku: level.sku };
  }
}
