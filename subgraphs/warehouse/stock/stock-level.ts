import { BigIntType, type Opt } from '@mikro-orm/core';
import { Check, Entity, Index, PrimaryKey, Property, Unique } from '@mikro-orm/decorators/legacy';
import type { EntityManager } from '@mikro-orm/postgresql';
import { Directive, Field, Int, ObjectType } from 'type-graphql';
import { ForeignKey } from '../../shared/database/foreign-key.js';
import { Retained } from '../../shared/database/retention.js';
import { sql } from '../../shared/database/sql.js';
import { connectionOf } from '../../shared/graphql/connection.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';
import { availableUnitsSql, type LevelUnits, shortfallSql } from './level-units.js';

export const lowStockThresholdDefault = 10;

@Directive('@key(fields: "id")')
@Allow('shop-owner')
@ObjectType({ description: 'The stock of one variant in one warehouse.' })
@Retained({ permanently: 'the stock itself, to which its ledger refers' })
@Entity({ tableName: 'stock_level' })
@Unique({ name: 'stock_level_place', properties: ['shopId', 'sku', 'warehouseId'] })
@ForeignKey({
  name: 'stock_level_warehouse_id_foreign',
  columns: ['shop_id', 'warehouse_id'],
  references: { table: 'warehouse', columns: ['shop_id', 'id'] },
})
@Index({ name: 'stock_level_by_id', properties: ['id'] })
@Index({ name: 'stock_level_warehouse', properties: ['shopId', 'warehouseId', 'id'] })
@Index({
  name: 'stock_level_low',
  expression: 'create index stock_level_low on stock_level (shop_id, id) where is_low_stock',
})
@Index({
  name: 'stock_level_low_warehouse',
  expression:
    'create index stock_level_low_warehouse on stock_level (shop_id, warehouse_id, id) where is_low_stock',
})
@Index({
  name: 'stock_level_short',
  expression: 'create index stock_level_short on stock_level (shop_id, id) where shortfall > 0',
})
@Check({
  name: 'stock_level_not_negative',
  expression:
    'on_hand >= 0 and reserved >= 0 and committed >= 0 and unavailable >= 0 and buffer >= 0',
})
@Check({ name: 'stock_level_unavailable', expression: 'unavailable <= on_hand' })
@Check({ name: 'stock_level_shortfall', expression: `shortfall = ${shortfallSql()}` })
@Check({ name: 'stock_level_incoming', expression: 'incoming >= 0' })
@Check({ name: 'stock_level_threshold', expression: 'low_stock_threshold >= 0' })
export class StockLevel implements LevelUnits {
  /** the shop of the warehouse, which never changes */
  @PrimaryKey({ type: 'uuid' })
  shopId!: string;

  @Field(() => UUID, { description: 'The id of the level.' })
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  @Property({ type: 'uuid' })
  warehouseId!: string;

  @Property({ type: 'varchar', length: 64 })
  sku!: string;

  @Field(() => Int, {
    description:
      'Units in the warehouse, as a person counts them: packed parcels too, until they are shipped.',
  })
  @Property({ type: 'integer', default: 0 })
  onHand!: number;

  @Field(() => Int, { description: 'Units that are reserved for unpaid orders.' })
  @Property({ type: 'integer', default: 0 })
  reserved!: number;

  @Field(() => Int, { description: 'Units that are paid and not shipped yet.' })
  @Property({ type: 'integer', default: 0 })
  committed!: number;

  @Field(() => Int, { description: 'Units on hand that are damaged or quarantined.' })
  @Property({ type: 'integer', default: 0 })
  unavailable!: number;

  @Field(() => Int, { description: 'Units that are kept back from sale.' })
  @Property({ type: 'integer', default: 0 })
  buffer!: number;

  /**
   * Lowered by every change that makes it lower, and raised by a count, a removal and UNAVAILABLE only: a
   * reservation beyond what is there violates the CHECK.
   */
  @Field(() => Int, {
    description:
      'Units that are promised to orders, or marked as unavailable, beyond those on hand.',
  })
  @Property({ type: 'integer', default: 0 })
  shortfall!: number;

  /** the `seq` of its last movement; 0 if it never had one */
  @Property({ type: new BigIntType('number'), defaultRaw: '0' })
  lastSeq!: number;

  @Field(() => Int, { description: 'Units in transit to this warehouse.' })
  @Property({ type: 'integer', default: 0 })
  incoming!: number;

  @Field(() => Int, {
    description: 'The level is low when fewer units are available; 0 for never.',
  })
  @Property({ type: 'integer', default: lowStockThresholdDefault })
  lowStockThreshold!: number;

  /** computed by the database, for its indexes */
  @Property({
    type: 'boolean',
    generated: `(${availableUnitsSql()} < low_stock_threshold) stored`,
  })
  isLowStock!: boolean;

  @Field(() => Date, { nullable: true, description: 'When the units were last counted.' })
  @Property({ type: 'timestamptz', length: 3, nullable: true })
  countedAt!: Date | null;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;

  /** by PostgreSQL’s clock */
  @Field(() => Date, { description: 'When the level last changed.' })
  @Property({ type: 'timestamptz', length: 3, defaultRaw: 'now()' })
  updatedAt!: Opt<Date>;
}

export const StockLevelConnection = connectionOf(StockLevel, 'StockLevel');

/** The sum of all shortfalls, from the index `stock_level_short`. */
export async function countUnitsShort(em: EntityManager): Promise<number> {
  const [row] = await sql<{ units: string }>(
    em,
    'select coalesce(sum(shortfall), 0) as units from stock_level where shortfall > 0',
  );
  return Number(row?.units);
}
