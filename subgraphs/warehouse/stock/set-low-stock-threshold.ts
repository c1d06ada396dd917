import { Length, Max, Min } from 'class-validator';
import { Field, InputType, Int } from 'type-graphql';
import { notFound } from '../../shared/errors.js';
import { UUID } from '../../shared/graphql/scalars.js';
import type { WarehouseContext } from '../context.js';
import { requireWarehouse } from '../warehouse/require-warehouse.js';
import { onHandMax } from './receive-stock.js';
import { StockLevel } from './stock-level.js';

@InputType({ description: 'From when on a level is low.' })
export class LowStockThresholdInput {
  @Field(() => UUID, { description: 'Where.' })
  warehouseId!: string;

  @Field(() => String, { description: 'What; the warehouse has to have a level of it.' })
  @Length(1, 64)
  sku!: string;

  @Field(() => Int, { description: 'Below this many available units it is low; 0 for never.' })
  @Min(0)
  @Max(onHandMax)
  threshold!: number;
}

/** @throws `NOT_FOUND` for an unknown warehouse or level, `FORBIDDEN` */
export async function setLowStockThreshold(
  context: WarehouseContext,
  { warehouseId, sku, threshold }: LowStockThresholdInput,
): Promise<StockLevel> {
  await requireWarehouse(context, warehouseId);
  const em = context.em.fork();
  const level = await em.findOne(StockLevel, { warehouseId, sku });
  if (!level) throw notFound('stock level of', sku);
  level.lowStockThreshold = threshold;
  await em.flush();
  return level;
}
