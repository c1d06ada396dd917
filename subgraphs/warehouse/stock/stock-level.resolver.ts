import { Arg, Ctx, FieldResolver, Int, Mutation, Resolver, Root } from 'type-graphql';
import { identityOf } from '../../shared/auth.js';
import { loaderOf } from '../../shared/context.js';
import { badInput } from '../../shared/errors.js';
import { loadBy } from '../../shared/load.js';
import { Allow } from '../../shared/rights.js';
import type { WarehouseContext } from '../context.js';
import { skuExists } from '../variant/sku-exists.js';
import { ProductVariant } from '../variant/variant.js';
import { ownWarehouse } from '../warehouse/own-warehouse.js';
import { Warehouse } from '../warehouse/warehouse.js';
import { loadWarehouses } from '../warehouse/warehouse.resolver.js';
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
    if (!(await skuExists(context.app.product, sku))) {
      throw badInput({ 'input.sku': `there is no variant ${sku}` });
    }
    const actor = identityOf(context).id;
    return receiveStock(context.app, { warehouse, sku, quantity, reference, actor });
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
