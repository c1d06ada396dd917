import type { Opt } from '@mikro-orm/core';
import { Check, Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, Int, ObjectType } from 'type-graphql';
import { ForeignKey } from '../../shared/database/foreign-key.js';
import { isOneOf } from '../../shared/database/is-one-of.js';
import { Retained } from '../../shared/database/retention.js';
import { connectionOf } from '../../shared/graphql/connection.js';
import { enumOf } from '../../shared/graphql/enum-of.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';

export const TransferStatus = enumOf('TransferStatus', 'Status of a transfer.', {
  IN_TRANSIT: 'Some units are in transit.',
  RECEIVED: 'All units were received or written off.',
  CANCELLED: 'The units that were in transit returned to their source.',
});
export type TransferStatus = keyof typeof TransferStatus;

@Directive('@key(fields: "id")')
@Allow('shop-owner')
@ObjectType({ description: 'Units that move between two warehouses of a shop.' })
@Retained({ permanently: 'a business record, to which the ledger refers' })
@Entity({ tableName: 'stock_transfer' })
@ForeignKey({
  name: 'stock_transfer_from_id_foreign',
  columns: ['shop_id', 'from_id'],
  references: { table: 'warehouse', columns: ['shop_id', 'id'] },
})
@ForeignKey({
  name: 'stock_transfer_to_id_foreign',
  columns: ['shop_id', 'to_id'],
  references: { table: 'warehouse', columns: ['shop_id', 'id'] },
})
@Index({ name: 'stock_transfer_by_id', properties: ['id'] })
@Index({
  name: 'stock_transfer_to',
  expression:
    "create index stock_transfer_to on stock_transfer (shop_id, to_id) where status = 'IN_TRANSIT'",
})
@Index({ name: 'stock_transfer_status_newest', properties: ['shopId', 'status', 'id'] })
@Check({
  name: 'stock_transfer_status',
  expression: isOneOf('status', Object.keys(TransferStatus)),
})
@Check({ name: 'stock_transfer_warehouses_differ', expression: 'from_id <> to_id' })
export class StockTransfer {
  /** the shop of both warehouses */
  @PrimaryKey({ type: 'uuid' })
  shopId!: string;

  @Field(() => UUID, {
    description: 'The id of the transfer, which is the reference of its stock movements.',
  })
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  @Property({ type: 'uuid' })
  fromId!: string;

  @Property({ type: 'uuid' })
  toId!: string;

  @Field(() => TransferStatus, { description: 'Current status.' })
  @Property({ type: 'text' })
  status!: TransferStatus;

  @Field(() => Date, { description: 'When the units left.' })
  @Property({ type: 'timestamptz', length: 3, defaultRaw: 'now()' })
  createdAt!: Opt<Date>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()', onUpdate: () => new Date() })
  updatedAt!: Opt<Date>;
}

/** Each unit that left is received, returned, missing or still in transit. */
@Allow('parent')
@ObjectType({ description: 'Units of one variant in a transfer.' })
@Retained({ withOwner: 'stock_transfer' })
@Entity({ tableName: 'transfer_line' })
@ForeignKey({
  name: 'transfer_line_transfer_id_foreign',
  columns: ['shop_id', 'transfer_id'],
  references: { table: 'stock_transfer', columns: ['shop_id', 'id'] },
})
@Check({
  name: 'transfer_line_quantity',
  expression: 'quantity > 0 and received + returned + missing <= quantity',
})
@Check({
  name: 'transfer_line_not_negative',
  expression: 'received >= 0 and returned >= 0 and missing >= 0',
})
export class TransferLine {
  /** of the transfer */
  @PrimaryKey({ type: 'uuid' })
  shopId!: string;

  @PrimaryKey({ type: 'uuid' })
  transferId!: string;

  @Field(() => String, { description: 'The variant.' })
  @PrimaryKey({ type: 'varchar', length: 64 })
  sku!: string;

  @Field(() => Int, { description: 'Units sent.' })
  @Property({ type: 'integer' })
  quantity!: number;

  @Field(() => Int, { description: 'Units received.' })
  @Property({ type: 'integer', default: 0 })
  received!: number;

  @Field(() => Int, {
    description: 'Units that returned to their source when the transfer was cancelled.',
  })
  @Property({ type: 'integer', default: 0 })
  returned!: number;

  @Field(() => Int, { description: 'Units written off because they did not arrive.' })
  @Property({ type: 'integer', default: 0 })
  missing!: number;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()', onUpdate: () => new Date() })
  updatedAt!: Opt<Date>;
}

export const StockTransferConnection = connectionOf(StockTransfer, 'StockTransfer');

export const unitsInTransit = ({ quantity, received, returned, missing }: TransferLine): number =>
  quantity - received - returned - missing;
