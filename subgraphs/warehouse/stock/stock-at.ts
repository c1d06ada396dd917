import type { EntityManager } from '@mikro-orm/postgresql';
import { Field, Int, ObjectType } from 'type-graphql';
import { sql } from '../../shared/database/sql.js';
import { Allow } from '../../shared/rights/rights.js';
import { freeUnits } from './level-units.js';

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
  readonly warehouseId: string;
  readonly sku: string;
  readonly at: Date;
}

/** The sum of the movements recorded up to and including that time; 0 before the level existed. */
export async function stockAt(
  em: EntityManager,
  { warehouseId, sku, at }: SnapshotRequest,
): Promise<StockSnapshot> {
  const [sum] = await sql<Omit<StockSnapshot, 'at' | 'available'>>(
    em,
    `select coalesce(sum(on_hand_delta), 0)::int as "onHand",
       coalesce(sum(reserved_delta), 0)::int as reserved,
       coalesce(sum(committed_delta), 0)::int as committed,
       coalesce(sum(unavailable_delta), 0)::int as unavailable
     from stock_level l join stock_movement m on m.level_id = l.id
     where l.warehouse_id = $1 and l.sku = $2 and m.created_at <= $3`,
    [warehouseId, sku, at.toISOString()],
  );
  const units = sum as NonNullable<typeof sum>;
  return { at, ...units, available: Math.max(0, freeUnits(units)) };
}
