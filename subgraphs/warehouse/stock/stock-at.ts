import type { EntityManager } from '@mikro-orm/postgresql';
import { Field, Int, ObjectType } from 'type-graphql';
import { sql } from '../../shared/database/sql.js';
import { lowestIdAt } from '../../shared/ids.js';
import { Allow } from '../../shared/rights/rights.js';
import { freeUnits, noUnits } from './level-units.js';

@Allow('parent')
@ObjectType({ description: 'A stock level at some time.' })
export class StockSnapshot {
  @Field(() => Date, { description: 'The time.' })
  at!: Date;

  @Field(() => Int, { description: 'Units physically in the warehouse.' })
  onHand!: number;

  @Field(() => Int, { description: 'Units that were reserved for unpaid orders.' })
  reserved!: number;

  @Field(() => Int, { description: 'Units that were paid and not shipped.' })
  committed!: number;

  @Field(() => Int, { description: 'Units on hand that were damaged or quarantined.' })
  unavailable!: number;

  @Field(() => Int, {
    description:
      'Units on hand that were not reserved, committed or unavailable. Buffers have no history.',
  })
  available!: number;
}

export interface SnapshotRequest {
  /** of the warehouse */
  readonly shopId: string;
  readonly warehouseId: string;
  readonly sku: string;
  readonly at: Date;
}

/**
 * The balances after the last movement that was recorded up to and including that time, to the millisecond;
 * 0 before the first. One look-up by the primary key of the movements, whose ids have their times.
 */
export async function stockAt(
  em: EntityManager,
  { shopId, warehouseId, sku, at }: SnapshotRequest,
): Promise<StockSnapshot> {
  const [units = noUnits] = await sql<Omit<StockSnapshot, 'at' | 'available'>>(em, stockAtSql, [
    shopId,
    sku,
    warehouseId,
    lowestIdAt(at.getTime() + 1),
  ]);
  return { at, ...units, available: Math.max(0, freeUnits(units)) };
}

/** Parameters: shop, sku and warehouse of the level, and the lowest id after the time. */
export const stockAtSql = `
  select m.on_hand as "onHand", m.reserved, m.committed, m.unavailable
  from stock_level l cross join lateral (
    select on_hand, reserved, committed, unavailable from stock_movement
    where shop_id = $1 and level_id = l.id and id < $4 order by id desc limit 1) m
  where l.shop_id = $1 and l.sku = $2 and l.warehouse_id = $3`;
