import { BigIntType, type Opt } from '@mikro-orm/core';
import { Check, Entity, Index, PrimaryKey, Property, Trigger } from '@mikro-orm/decorators/legacy';
import { Field, Int, ObjectType } from 'type-graphql';
import { ForeignKey } from '../../shared/database/foreign-key.js';
import { isOneOf } from '../../shared/database/is-one-of.js';
import { Retained } from '../../shared/database/retention.js';
import { connectionOf } from '../../shared/graphql/connection.js';
import { enumOf } from '../../shared/graphql/enum-of.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';

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

/** A ledger entry, written in the transaction that changes the level. The table is partitioned by the month of `id`. */
@Allow('parent')
@ObjectType({ description: 'One change of a stock level. It is immutable.' })
@Retained({ detachedAfter: 'LEDGER_MONTHS' })
@Entity({ tableName: 'stock_movement' })
@ForeignKey({
  name: 'stock_movement_level_id_foreign',
  columns: ['shop_id', 'level_id'],
  references: { table: 'stock_level', columns: ['shop_id', 'id'] },
})
@Index({ name: 'stock_movement_reference', properties: ['reference'] })
@Index({
  name: 'stock_movement_recent',
  expression:
    'create index stock_movement_recent on stock_movement using brin (id) with (pages_per_range = 32, autosummarize = on)',
})
@Check({ name: 'stock_movement_type', expression: isOneOf('type', Object.keys(MovementType)) })
@Trigger({
  name: 'append_only',
  timing: 'before',
  events: ['update', 'delete'],
  // On each partition as well.
  forEach: 'row',
  body: `raise exception 'stock_movement is append-only: add a line that corrects it'`,
})
export class StockMovement {
  /** of the level */
  @PrimaryKey({ type: 'uuid' })
  shopId!: string;

  @PrimaryKey({ type: 'uuid' })
  levelId!: string;

  @Field(() => UUID, { description: 'The id of the movement.' })
  /** `movementId`: sorts as `seq` */
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  /** 1 for the first movement of the level, and one more for each further */
  @Property({ type: new BigIntType('number') })
  seq!: number;

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

  /** units of the level after the movement */
  @Property({ type: 'integer' })
  onHand!: number;

  @Property({ type: 'integer' })
  reserved!: number;

  @Property({ type: 'integer' })
  committed!: number;

  @Property({ type: 'integer' })
  unavailable!: number;

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
  @Property({ type: 'timestamptz', length: 3, defaultRaw: 'now()' })
  occurredAt!: Opt<Date>;

  /** by PostgreSQL’s clock behind the locks, and not before the level’s last; the time of the id */
  @Field(() => Date, { name: 'at', description: 'When it was recorded.' })
  @Property({ type: 'timestamptz', length: 3, defaultRaw: 'now()' })
  createdAt!: Opt<Date>;
}

export const StockMovementConnection = connectionOf(StockMovement, 'StockMovement');
