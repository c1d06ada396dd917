import type { EntityManager } from '@mikro-orm/postgresql';
import { Field, Int, ObjectType } from 'type-graphql';
import { addMonths, firstDayOf, monthOf } from '../../shared/database/partitions/month.js';
import { sql } from '../../shared/database/sql.js';
import { badInput } from '../../shared/errors.js';
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

type Balances = Omit<StockSnapshot, 'at' | 'available'>;

/**
 * The balances after the last movement that was recorded up to and including that time, to the millisecond;
 * 0 before the first. One look-up by the primary key of the movements, whose ids have their times; a second one
 * for a level that had none in that month and the one before.
 *
 * @throws `BAD_USER_INPUT` for a time whose movements are kept no longer
 */
export async function stockAt(
  em: EntityManager,
  { shopId, warehouseId, sku, at }: SnapshotRequest,
): Promise<StockSnapshot> {
  const level = [shopId, sku, warehouseId];
  const endId = lowestIdAt(Math.min(Math.max(0, at.getTime()), timeMaxMs) + 1);
  const fromId = recentIdAt(at);
  const [recent] = await sql<Balances>(em, stockAtSql, [...level, endId, fromId]);
  const units = recent ?? (await lastBefore(em, level, fromId < endId ? fromId : endId, endId));
  return { at, ...units, available: Math.max(0, freeUnits(units)) };
}

// The time of a UUIDv7 has 48 bits.
const timeMaxMs = 2 ** 48 - 2;

/** The lowest id of the month before a time: PostgreSQL then plans for the partitions of two months. */
export function recentIdAt(at: Date): string {
  const known = new Date(Math.max(0, Math.min(at.getTime(), Date.now())));
  return lowestIdAt(Math.max(0, firstDayOf(addMonths(monthOf(known), -1)).getTime()));
}

const movements = `select id, on_hand, reserved, committed, unavailable from stock_movement
  where shop_id = $1 and level_id = l.id`;

/** Parameters: shop, sku and warehouse of the level, the lowest id after the time, and of the months to look in. */
export const stockAtSql = `
  select m.on_hand as "onHand", m.reserved, m.committed, m.unavailable
  from stock_level l cross join lateral (
    ${movements} and id < $4 and id >= $5 order by id desc limit 1) m
  where l.shop_id = $1 and l.sku = $2 and l.warehouse_id = $3`;

async function lastBefore(
  em: EntityManager,
  level: readonly string[],
  beforeId: string,
  endId: string,
): Promise<Balances> {
  const [row] = await sql<Balances & { id: string }>(em, lastBeforeSql, [...level, beforeId]);
  if (!row) return noUnits;
  const { id, ...units } = row;
  if (id < endId) return units;
  throw badInput({ at: 'The history of this level begins later. Choose a later time.' });
}

/** The checkpoint is the one movement that is left of those in detached partitions. */
const lastBeforeSql = `
  select m.id, m.on_hand as "onHand", m.reserved, m.committed, m.unavailable
  from stock_level l cross join lateral (
    (${movements} and id < $4 order by id desc limit 1)
    union all
    select id, on_hand, reserved, committed, unavailable from ledger_checkpoint
    where shop_id = $1 and level_id = l.id) m
  where l.shop_id = $1 and l.sku = $2 and l.warehouse_id = $3
  order by m.id desc limit 1`;
