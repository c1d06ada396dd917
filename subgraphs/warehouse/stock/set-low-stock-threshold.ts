import { Max, Min } from 'class-validator';
import { Field, InputType, Int } from 'type-graphql';
import { sql } from '../../shared/database/sql.js';
import { transact } from '../../shared/database/transact.js';
import { notFound } from '../../shared/errors.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { OneLine } from '../../shared/graphql/validation.js';
import type { WarehouseContext } from '../context.js';
import { lockItems } from '../locks.js';
import { requireWarehouse } from '../warehouse/require-warehouse.js';
import { onHandMax } from './item-room.js';
import { StockItem } from './stock-item.js';
import { StockLevel } from './stock-level.js';

@InputType({ description: 'The low-stock threshold of one stock level.' })
export class LowStockThresholdInput {
  @Field(() => UUID, { description: 'The warehouse.' })
  warehouseId!: string;

  @Field(() => String, { description: 'The variant, of which the warehouse must have a level.' })
  @OneLine(64)
  sku!: string;

  @Field(() => Int, {
    description: 'The level is low when fewer units are available, 0 to 100,000,000; 0 for never.',
  })
  @Min(0)
  @Max(onHandMax)
  threshold!: number;
}

/** @throws `NOT_FOUND` for an unknown warehouse or level, `FORBIDDEN` */
export async function setLowStockThreshold(
  context: WarehouseContext,
  { warehouseId, sku, threshold }: LowStockThresholdInput,
): Promise<StockLevel> {
  const { shopId } = await requireWarehouse(context, warehouseId);
  return transact(context.em, async (tx) => {
    await lockItems(tx, [{ shopId, sku }], StockItem);
    const [row] = await sql<object>(
      tx,
      `update stock_level
       set low_stock_threshold = $4, updated_at = greatest(updated_at, clock_timestamp())
       where shop_id = $1 and sku = $2 and warehouse_id = $3 returning *`,
      [shopId, sku, warehouseId, threshold],
    );
    if (!row) throw notFound('stock level of', sku);
    return tx.map(StockLevel, row);
  });
}
