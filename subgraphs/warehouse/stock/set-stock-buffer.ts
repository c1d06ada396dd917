import type { EntityManager } from '@mikro-orm/postgresql';
import { Max, Min } from 'class-validator';
import { Field, InputType, Int } from 'type-graphql';
import { sql } from '../../shared/database/sql.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { OneLine } from '../../shared/graphql/validation.js';
import type { Warehouse } from '../warehouse/warehouse.js';
import { onHandMax } from './item-room.js';
import { moveStock, type StockWork } from './move-stock.js';
import type { StockLevel } from './stock-level.js';
import type { StockStore } from './stock-store.js';

@InputType({ description: 'Units of a stock level to keep back from sale.' })
export class StockBufferInput {
  @Field(() => UUID, { description: 'The warehouse.' })
  warehouseId!: string;

  @Field(() => String, { description: 'The variant.' })
  @OneLine(64)
  sku!: string;

  @Field(() => Int, { description: 'Units, 0 to 100,000,000.' })
  @Min(0)
  @Max(onHandMax)
  buffer!: number;
}

export interface BufferChange {
  readonly warehouse: Warehouse;
  readonly sku: string;
  readonly buffer: number;
}

/** Keeps units of a level back from sale. Orders that have units of it already keep them. */
export function setStockBuffer(store: StockStore, change: BufferChange): Promise<StockLevel> {
  const { warehouse, sku, buffer } = change;
  const work: StockWork<StockLevel> = async (em, openLedger) => {
    const ledger = await openLedger([{ shopId: warehouse.shopId, sku }], {
      warehouseIds: [warehouse.id],
    });
    const [level] = (await ledger.ensureLevels(em, warehouse, [sku])) as [StockLevel];
    ledger.setBuffer(level, buffer);
    return level;
  };
  return moveStock(store, work, { isStored });
}

async function isStored(em: EntityManager, { shopId, id, buffer }: StockLevel): Promise<boolean> {
  const stored = 'select from stock_level where shop_id = $1 and id = $2 and buffer = $3';
  return (await sql(em, stored, [shopId, id, buffer])).length > 0;
}
