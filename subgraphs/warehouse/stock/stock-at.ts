import type { EntityManager } from '@mikro-orm/postgresql';
import { Field, Int, ObjectType } from 'type-graphql';
import { sql } from '../../shared/database/sql.js';
import { Allow } from '../../shared/rights/rights.js';

@Allow('parent')
@ObjectType({ description: 'A stock level at some time.' })
export class StockSnapshot {
  @Field(() => Date, { description: 'The time.' })
  at!: Date;

  @Field(() => Int, { description: 'Units physically in the warehouse.' })
  onHand!: number;

  @Field(() => Int, { description: 'Units of those that were reserved for unpaid orders.' })
  reserved!: number;

  @Field(() => Int, { description: 'Units on hand and not reserved.' })
  available!: number;
}

export interface SnapshotRequest {
  readonly warehouseId: string;
  readonly sku: string;
  readonly at: Date;
}

/** The sum of the movements up to and including that time; 0 before the level existed. */
export async function stockAt(
  em: EntityManager,
  { warehouseId, sku, at }: SnapshotRequest,
): Promise<StockSnapshot> {
  const [sum] = await sql<{ onHand: number; reserved: number }>(
    em,
    `select coalesce(sum(on_hand_delta), 0)::int as "onHand",
       coalesce(sum(reserved_delta), 0)::int as reserved
     from stock_level l join stock_movement m on m.level_id = l.id
     where l.warehouse_id = $1 and l.sku = $2 and m.created_at <= $3`,
    [warehouseId, sku, at.toISOString()],
  );
  const { onHand, reserved } = sum as { onHand: number; reserved: number };
  return { at, onHand, reserved, available: onHand - reserved };
}
