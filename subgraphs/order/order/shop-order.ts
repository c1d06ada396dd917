import { type Opt, PrimaryKeyProp, raw } from '@mikro-orm/core';
import { Check, Entity, Filter, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, Int, ObjectType } from 'type-graphql';
import type { ShopOrderRef } from '../../contracts/order.js';
import { amountScale } from '../../shared/currencies.js';
import { ForeignKey } from '../../shared/database/foreign-key.js';
import { isOneOf } from '../../shared/database/is-one-of.js';
import { Retained } from '../../shared/database/retention.js';
import { connectionOf } from '../../shared/graphql/connection.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';
import { OrderStatus } from './status.js';

/** SQL for a shop order of an order that has a number. @param shopOrder the alias of a row of `shop_order` */
export const isOfHeldOrderSql = (shopOrder: string) => `exists (select from customer_order o
  where o.customer_id = ${shopOrder}.customer_id and o.id = ${shopOrder}.order_id and o.number is not null)`;

/** Lines of an order, and so its shop orders. */
export const itemsMax = 100;

@Directive('@key(fields: "id")')
@Directive('@key(fields: "order { id } shop { id }")')
@Allow('own', 'shop-owner')
@ObjectType({ description: 'The part of an order that one shop fulfils.' })
@Retained({ withOwner: 'customer_order' })
@Entity({ tableName: 'shop_order' })
@ForeignKey({
  name: 'shop_order_order_id_foreign',
  columns: ['customer_id', 'order_id'],
  references: { table: 'customer_order', columns: ['customer_id', 'id'] },
})
@Index({ name: 'shop_order_id', properties: ['id'] })
@Index({ name: 'shop_order_order', properties: ['customerId', 'orderId'] })
@Check({ name: 'shop_order_status_known', expression: isOneOf('status', Object.keys(OrderStatus)) })
@Index({
  name: 'shop_order_of_shop',
  expression: `create index shop_order_of_shop on shop_order (shop_id, id) where not never_paid`,
})
@Index({
  name: 'shop_order_of_shop_status',
  expression: `create index shop_order_of_shop_status on shop_order (shop_id, status, id) where not never_paid`,
})
@Filter({
  name: 'held',
  // Hides those of orders without a number.
  cond: () => ({ [raw((alias) => isOfHeldOrderSql(alias))]: [] }),
  default: true,
})
export class ShopOrder {
  [PrimaryKeyProp]?: ['customerId', 'id'];

  @PrimaryKey({ type: 'uuid' })
  customerId!: string;

  @Field(() => UUID, { description: 'Id of the shop order.' })
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  @Property({ type: 'uuid' })
  orderId!: string;

  @Property({ type: 'uuid' })
  shopId!: string;

  @Field(() => OrderStatus, { description: 'Current status.' })
  @Property({ type: 'text', default: 'PENDING' })
  status!: OrderStatus;

  @Field(() => String, { nullable: true, description: 'Carrier tracking number.' })
  @Property({ type: 'varchar', length: 100, nullable: true })
  trackingNumber!: Opt<string | null>;

  /** null before */
  @Property({ type: 'timestamptz', nullable: true })
  shippedAt!: Opt<Date | null>;

  /** null before */
  @Property({ type: 'timestamptz', nullable: true })
  deliveredAt!: Opt<Date | null>;

  /** whether the order was cancelled before it was paid: its shop sees nothing of it */
  @Property({ type: 'boolean', default: false })
  neverPaid!: Opt<boolean>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()', onUpdate: () => new Date() })
  updatedAt!: Opt<Date>;
}

@Directive('@inaccessible')
@Allow('parent')
@ObjectType({ description: 'Which order a shop order is part of, whose, and in which status.' })
export class ShopOrderRefOutput implements ShopOrderRef {
  @Field(() => UUID, { description: 'Id of the order.' })
  orderId!: string;

  @Field(() => UUID, { description: 'Id of the shop.' })
  shopId!: string;

  @Field(() => OrderStatus, { description: 'Current status of the shop order.' })
  status!: OrderStatus;
}

export const ShopOrderConnection = connectionOf(ShopOrder, 'ShopOrder');

@Allow('parent')
@ObjectType({
  description: 'A line of an order, with name and price of the time when it was placed.',
})
@Retained({ withOwner: 'shop_order' })
@Entity({ tableName: 'order_item' })
@ForeignKey({
  name: 'order_item_shop_order_id_foreign',
  columns: ['customer_id', 'shop_order_id'],
  references: { table: 'shop_order', columns: ['customer_id', 'id'] },
})
@Index({ name: 'order_item_shop_order', properties: ['customerId', 'shopOrderId'] })
@Index({
  name: 'order_item_sale',
  expression: `create index order_item_sale on order_item (sale_id, customer_id, shop_order_id) where sale_id is not null`,
})
@Check({ name: 'order_item_quantity', expression: 'quantity > 0' })
@Check({ name: 'order_item_from_cart', expression: 'from_cart >= 0 and from_cart <= quantity' })
@Check({
  name: 'order_item_cancelled',
  expression: 'cancelled_quantity >= 0 and cancelled_quantity <= quantity',
})
@Check({ name: 'order_item_price', expression: 'unit_price_amount >= 0' })
export class OrderItem {
  [PrimaryKeyProp]?: ['customerId', 'id'];

  @PrimaryKey({ type: 'uuid' })
  customerId!: string;

  @Field(() => UUID, { description: 'Id of the line.' })
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  @Property({ type: 'uuid' })
  shopOrderId!: string;

  @Property({ type: 'uuid' })
  offerId!: string;

  @Property({ type: 'varchar', length: 64 })
  sku!: string;

  @Field(() => String, { description: 'Name of the offer when the order was placed.' })
  @Property({ type: 'varchar', length: 520 })
  name!: string;

  @Property({ type: 'numeric', precision: 12, scale: amountScale })
  unitPriceAmount!: string;

  @Property({ type: 'char', length: 3 })
  currencyCode!: string;

  @Field(() => Int, { description: 'Units that were ordered.' })
  @Property({ type: 'integer' })
  quantity!: number;

  @Field(() => UUID, {
    nullable: true,
    description: 'The sale in which the line was bought; null for the regular price.',
  })
  @Property({ type: 'uuid', nullable: true })
  saleId!: Opt<string | null>;

  /** when price and sale were decided, by the clock of shop’s primary; null for orders from before sales */
  @Property({ type: 'timestamptz', nullable: true })
  decidedAt!: Opt<Date | null>;

  /** of a sale with a queue: when the customer had been admitted, and until when */
  @Property({ type: 'timestamptz', length: 3, nullable: true })
  admittedAt!: Opt<Date | null>;

  @Property({ type: 'timestamptz', length: 3, nullable: true })
  admissionEndsAt!: Opt<Date | null>;

  /** of the units that were committed to a payment; 0 if the order ended before that */
  @Property({ type: 'integer', default: 0 })
  cancelledQuantity!: Opt<number>;

  /** units taken from the customer’s cart, to be returned if the order is cancelled unpaid */
  @Property({ type: 'integer', default: 0 })
  fromCart!: Opt<number>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;
}
