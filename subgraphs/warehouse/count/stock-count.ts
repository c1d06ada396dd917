import type { Opt } from '@mikro-orm/core';
import { Check, Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, Int, ObjectType } from 'type-graphql';
import { ForeignKey } from '../../shared/database/foreign-key.js';
import { isOneOf } from '../../shared/database/is-one-of.js';
import { Retained } from '../../shared/database/retention.js';
import { connectionOf } from '../../shared/graphql/connection.js';
import { enumOf } from '../../shared/graphql/enum-of.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';

export const StockCountStatus = enumOf('StockCountStatus', 'Status of a stock count.', {
  OPEN: 'The units are being counted.',
  SUBMITTED: 'The levels were set to the counted units.',
  CANCELLED: 'Nothing was changed.',
});
export type StockCountStatus = keyof typeof StockCountStatus;

@Allow('shop-owner')
@ObjectType({ description: 'A count of variants in one warehouse by a person.' })
@Retained({ permanently: 'a business record, to which the ledger refers' })
@Entity({ tableName: 'stock_count' })
@ForeignKey({
  name: 'stock_count_warehouse_id_foreign',
  columns: ['shop_id', 'warehouse_id'],
  references: { table: 'warehouse', columns: ['shop_id', 'id'] },
})
@Index({ name: 'stock_count_by_id', properties: ['id'] })
@Index({ name: 'stock_count_warehouse', properties: ['shopId', 'warehouseId', 'id'] })
@Index({
  name: 'stock_count_status_newest',
  properties: ['shopId', 'warehouseId', 'status', 'id'],
})
@Check({ name: 'stock_count_status', expression: isOneOf('status', Object.keys(StockCountStatus)) })
export class StockCount {
  /** of the warehouse */
  @PrimaryKey({ type: 'uuid' })
  shopId!: string;

  @Field(() => UUID, {
    description: 'The id of the count, which is the reference of its stock movements.',
  })
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  @Property({ type: 'uuid' })
  warehouseId!: string;

  @Field(() => StockCountStatus, { description: 'Current status.' })
  @Property({ type: 'text', default: 'OPEN' })
  status!: Opt<StockCountStatus>;

  /** whether the expected units are shown before the submission */
  @Property({ type: 'boolean' })
  showExpected!: boolean;

  /** the id of the user who opened it */
  @Property({ type: 'varchar', length: 64 })
  actor!: string;

  @Field(() => Date, { description: 'When it was opened.' })
  @Property({ type: 'timestamptz', length: 3, defaultRaw: 'now()' })
  openedAt!: Opt<Date>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()', onUpdate: () => new Date() })
  updatedAt!: Opt<Date>;
}

export const StockCountConnection = connectionOf(StockCount, 'StockCount');

@Allow('parent')
@ObjectType({ description: 'A variant of a stock count.' })
@Retained({ withOwner: 'stock_count' })
@Entity({ tableName: 'stock_count_line' })
@ForeignKey({
  name: 'stock_count_line_count_id_foreign',
  columns: ['shop_id', 'count_id'],
  references: { table: 'stock_count', columns: ['shop_id', 'id'] },
})
@Check({ name: 'stock_count_line_expected', expression: 'expected >= 0' })
@Check({
  name: 'stock_count_line_counted',
  expression: 'counted >= 0 and (counted is null) = (counted_at is null)',
})
export class StockCountLine {
  /** of the count */
  @PrimaryKey({ type: 'uuid' })
  shopId!: string;

  @PrimaryKey({ type: 'uuid' })
  countId!: string;

  @Field(() => String, { description: 'The variant.' })
  @PrimaryKey({ type: 'varchar', length: 64 })
  sku!: string;

  /** units on hand by the ledger: when the count was opened; later, when they were counted */
  @Property({ type: 'integer' })
  expected!: number;

  @Field(() => Int, { nullable: true, description: 'Units counted; null if none were submitted.' })
  @Property({ type: 'integer', nullable: true })
  counted!: number | null;

  @Field(() => Date, { nullable: true, description: 'When the units were counted.' })
  @Property({ type: 'timestamptz', length: 3, nullable: true })
  countedAt!: Date | null;
}
