import type { Opt } from '@mikro-orm/core';
import {
  Check,
  Entity,
  Index,
  ManyToOne,
  PrimaryKey,
  Property,
  Unique,
} from '@mikro-orm/decorators/legacy';
import { Directive, Field, Int, ObjectType } from 'type-graphql';
import { connectionOf } from '../../shared/graphql/connection.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';
import { Warehouse } from '../warehouse/warehouse.js';

export const lowStockThresholdDefault = 10;

@Directive('@key(fields: "id")')
@Allow('shop-owner')
@ObjectType({ description: 'The stock of one variant in one warehouse.' })
@Entity({ tableName: 'stock_level' })
@Unique({ name: 'stock_level_sku_warehouse', properties: ['sku', 'warehouseId'] })
@Index({ name: 'stock_level_warehouse', properties: ['warehouseId', 'id'] })
@Index({
  name: 'stock_level_low',
  expression: 'create index stock_level_low on stock_level (shop_id, id) where is_low_stock',
})
@Index({
  name: 'stock_level_low_warehouse',
  expression:
    'create index stock_level_low_warehouse on stock_level (warehouse_id, id) where is_low_stock',
})
@Check({ name: 'stock_level_reserved', expression: '0 <= reserved and reserved <= on_hand' })
@Check({ name: 'stock_level_incoming', expression: 'incoming >= 0' })
@Check({ name: 'stock_level_threshold', expression: 'low_stock_threshold >= 0' })
export class StockLevel {
  @Field(() => UUID, { description: 'The id of the level.' })
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  @ManyToOne(() => Warehouse, { mapToPk: true, fieldName: 'warehouse_id', index: false })
  warehouseId!: string;

  /** the shop of the warehouse, which never changes */
  @Property({ type: 'uuid' })
  shopId!: string;

  @Property({ type: 'varchar', length: 64 })
  sku!: string;

  @Field(() => Int, { description: 'Units physically in the warehouse.' })
  @Property({ type: 'integer', default: 0 })
  onHand!: number;

  @Field(() => Int, { description: 'Units of those that are reserved for unpaid orders.' })
  @Property({ type: 'integer', default: 0 })
  reserved!: number;

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
    generated: '(on_hand - reserved < low_stock_threshold) stored',
  })
  isLowStock!: boolean;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;

  @Field(() => Date, { description: 'When the level last changed.' })
  @Property({ type: 'timestamptz', defaultRaw: 'now()', onUpdate: () => new Date() })
  updatedAt!: Opt<Date>;
}

export const StockLevelConnection = connectionOf(StockLevel, 'StockLevel');
