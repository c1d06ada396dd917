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
import { Field, Int, ObjectType, registerEnumType } from 'type-graphql';
import { connectionOf } from '../../shared/graphql/connection.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';
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
const MovementTypes = Object.fromEntries(movementTypes.map((type) => [type, type])) as {
  readonly [type in MovementType]: type;
};
registerEnumType(MovementTypes, {
  name: 'MovementType',
  description: 'What moved stock.',
  valuesConfig: {
    RECEIPT: { description: 'Stock arrived.' },
    ADJUSTMENT: { description: 'A count or a correction.' },
    RESERVATION: { description: 'A checkout holds units.' },
    RELEASE: { description: 'An order that held units was given up.' },
    SALE: { description: 'An order was paid: its units leave for good.' },
    RETURN: { description: 'Units of a paid order came back.' },
    TRANSFER_OUT: { description: 'Units left for another warehouse.' },
    TRANSFER_IN: { description: 'Units came from another warehouse, or came back.' },
  },
});

/** One line of the ledger. It is written in the transaction of the level it changes, and stays. */
@Allow('parent')
@ObjectType({ description: 'One line of the ledger of a level; it never changes.' })
@Entity({ tableName: 'stock_movement' })
@Index({ name: 'stock_movement_level', properties: ['levelId', 'id'] })
@Index({ name: 'stock_movement_reference', properties: ['reference'] })
@Check({
  name: 'stock_movement_type',
  expression: `type in (${movementTypes.map((type) => `'${type}'`).join(', ')})`,
})
@Trigger({
  name: 'append_only',
  timing: 'before',
  events: ['update', 'delete'],
  forEach: 'statement',
  body: `raise exception 'stock_movement is append-only: add a line that corrects it'`,
})
export class StockMovement {
  @Field(() => UUID, { description: 'The id of the movement.' })
  /** UUIDv7: later lines sort behind earlier ones */
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  @ManyToOne(() => StockLevel, { mapToPk: true, fieldName: 'level_id', index: false })
  levelId!: string;

  @Field(() => MovementTypes, { description: 'What moved it.' })
  @Property({ type: 'text' })
  type!: MovementType;

  @Field(() => Int, { description: 'Units that came, or went (negative).' })
  @Property({ type: 'integer' })
  onHandDelta!: number;

  @Field(() => Int, { description: 'Units that were promised, or set free (negative).' })
  @Property({ type: 'integer' })
  reservedDelta!: number;

  @Field(() => String, {
    nullable: true,
    description: 'What caused it: the id of an order or a transfer, a delivery note.',
  })
  @Property({ type: 'varchar', length: 255, nullable: true })
  reference!: string | null;

  @Field(() => String, { nullable: true, description: 'Why, where somebody said so.' })
  @Property({ type: 'varchar', length: 255, nullable: true })
  reason!: string | null;

  @Field(() => String, {
    description: 'Who did it: the id of a user, or the part of the system that did.',
  })
  @Property({ type: 'varchar', length: 64 })
  actor!: string;

  @Field(() => Date, { name: 'at', description: 'When.' })
  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;
}

export const StockMovementConnection = connectionOf(StockMovement, 'StockMovement');
