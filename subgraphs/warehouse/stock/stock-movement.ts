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
import { Field, Int, ObjectType } from 'type-graphql';
import { isOneOf } from '../../shared/database/is-one-of.js';
import { connectionOf } from '../../shared/graphql/connection.js';
import { enumOf } from '../../shared/graphql/enum-of.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';
import { StockLevel } from './stock-level.js';

export const MovementType = enumOf('MovementType', 'Kind of a stock movement.', {
  RECEIPT: 'Units were received.',
  ADJUSTMENT: 'A count or correction.',
  RESERVATION: 'A checkout reserved units.',
  RELEASE: 'A reservation was released or expired.',
  COMMIT: 'An order was paid: its reserved units are committed to it.',
  UNCOMMIT: 'Units of a paid order were cancelled, or reassigned to another warehouse.',
  SHIPMENT: 'Units of a paid order left the warehouse.',
  RETURN: 'Shipped units came back.',
  UNAVAILABLE: 'Units became unavailable, or available again.',
  TRANSFER_OUT: 'Units left for another warehouse.',
  TRANSFER_IN: 'Units arrived from another warehouse, or returned from a cancelled transfer.',
});
export type MovementType = keyof typeof MovementType;

/** A ledger entry, written in the transaction that changes the level. */
@Allow('parent')
@ObjectType({ description: 'One change of a stock level. It is immutable.' })
@Entity({ tableName: 'stock_movement' })
@Index({ name: 'stock_movement_level', properties: ['levelId', 'id'] })
@Index({ name: 'stock_movement_reference', properties: ['reference'] })
@Check({ name: 'stock_movement_type', expression: isOneOf('type', Object.keys(MovementType)) })
@Trigger({
  name: 'append_only',
  timing: 'before',
  events: ['update', 'delete'],
  forEach: 'statement',
  body: `raise exception 'stock_movement is append-only: add a line that corrects it'`,
})
export class StockMovement {
  @Field(() => UUID, { description: 'The id of the movement.' })
  /** UUIDv7, so that movements sort by time */
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  @ManyToOne(() => StockLevel, { mapToPk: true, fieldName: 'level_id', index: false })
  levelId!: string;

  @Field(() => MovementType, { description: 'Kind of the movement.' })
  @Property({ type: 'text' })
  type!: MovementType;

  @Field(() => Int, { description: 'Change of the units on hand.' })
  @Property({ type: 'integer' })
  onHandDelta!: number;

  @Field(() => Int, { description: 'Change of the reserved units.' })
  @Property({ type: 'integer' })
  reservedDelta!: number;

  @Field(() => Int, { description: 'Change of the committed units.' })
  @Property({ type: 'integer', default: 0 })
  committedDelta!: Opt<number>;

  @Field(() => Int, { description: 'Change of the unavailable units.' })
  @Property({ type: 'integer', default: 0 })
  unavailableDelta!: Opt<number>;

  @Field(() => String, {
    nullable: true,
    description:
      'What caused it: the id of an order, transfer or import, or the reference of a delivery.',
  })
  @Property({ type: 'varchar', length: 255, nullable: true })
  reference!: string | null;

  @Field(() => String, { nullable: true, description: 'Reason, if one was given.' })
  @Property({ type: 'varchar', length: 255, nullable: true })
  reason!: string | null;

  @Field(() => String, {
    description: 'Who caused it: the id of a user, or the name of a service.',
  })
  @Property({ type: 'varchar', length: 64 })
  actor!: string;

  @Field(() => Date, {
    description:
      'When it happened. Earlier than `at` if it was recorded later, such as a line of a stock count.',
  })
  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  occurredAt!: Opt<Date>;

  @Field(() => Date, { name: 'at', description: 'When it was recorded.' })
  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;
}

export const StockMovementConnection = connectionOf(StockMovement, 'StockMovement');
