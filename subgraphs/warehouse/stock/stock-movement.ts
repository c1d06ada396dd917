import type { Opt } from '@mikro-orm/core';
import {
  Check,
  Entity,
  Index,
  ManyToOne,
  PrimaryKey,
  Property,
  Trigger,
} from '@mikro-orm/decorators/legacy';
import { StockLevel } from './stock-level.js';

export const movementTypes = [
  'RECEIPT',
  'ADJUSTMENT',
  'RESERVATION',
  'RELEASE',
  'SALE',
  'RETURN',
  'TRANSFER_OUT',
  'TRANSFER_IN',
] as const;
export type MovementType = (typeof movementTypes)[number];

/** One line of the ledger. It is written in the transaction of the level it changes, and stays. */
@Entity({ tableName: 'stock_movement' })
@Index({ name: 'stock_movement_level', properties: ['levelId', 'id'] })
@Index({ name: 'stock_movement_reference', properties: ['reference'] })
@Check({
  name: 'stock_movement_type',
  expression: `type in (${movementTypes.map((type) => `'${type}'`).join(', ')})`,
})
@Trigger({
  name: 'stock_movement_append_only',
  timing: 'before',
  events: ['update', 'delete'],
  forEach: 'statement',
  body: `raise exception 'stock_movement is append-only: add a line that corrects it'`,
})
export class StockMovement {
  /** UUIDv7: later lines sort behind earlier ones */
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  @ManyToOne(() => StockLevel, { mapToPk: true, fieldName: 'level_id', index: false })
  levelId!: string;

  @Property({ type: 'text' })
  type!: MovementType;

  @Property({ type: 'integer' })
  onHandDelta!: number;

  @Property({ type: 'integer' })
  reservedDelta!: number;

  /** what caused it: an order, a delivery note, a transfer */
  @Property({ type: 'varchar', length: 255, nullable: true })
  reference!: string | null;

  @Property({ type: 'varchar', length: 255, nullable: true })
  reason!: string | null;

  /** who did it: a user's id, or the part of the system that did */
  @Property({ type: 'varchar', length: 64 })
  actor!: string;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;
}
