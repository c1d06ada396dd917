import type { Opt } from '@mikro-orm/core';
import { Check, Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Length } from 'class-validator';
import { Directive, Field, InputType, ObjectType } from 'type-graphql';
import { connectionOf } from '../../shared/graphql/connection.js';
import { Refusal } from '../../shared/graphql/refusal.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';
import { CancelReason, OrderStatus, sqlList } from './status.js';

@Allow('parent')
@ObjectType({ description: 'Where an order goes.' })
@InputType('ShippingAddressInput', { description: 'Where an order goes.' })
export class ShippingAddress {
  @Field(() => String, { description: 'Street and number.' })
  @Length(1, 255)
  street!: string;

  @Field(() => String, { description: 'City.' })
  @Length(1, 100)
  city!: string;

  @Field(() => String, { description: 'Postal code.' })
  @Length(1, 20)
  zip!: string;

  @Field(() => String, { description: 'Country.' })
  @Length(1, 100)
  country!: string;
}

@Directive('@key(fields: "id")')
@Allow('own', 'shop-owner')
@ObjectType({ description: 'One checkout, across shops.' })
@Entity({ tableName: 'customer_order' })
@Index({ name: 'customer_order_customer', properties: ['customerId', 'id'] })
@Index({ name: 'customer_order_status', properties: ['status', 'createdAt'] })
@Index({
  name: 'customer_order_not_held',
  expression: `create index customer_order_not_held on customer_order (id) where status = 'PENDING' and expires_at is null`,
})
@Check({ name: 'customer_order_status_known', expression: `status in (${sqlList(OrderStatus)})` })
@Check({
  name: 'customer_order_cancel_reason',
  expression: `(status = 'CANCELLED') = (cancel_reason is not null)`,
})
@Check({ name: 'customer_order_total', expression: 'total_amount >= 0' })
export class Order {
  @Field(() => UUID, { description: 'The id of the order.' })
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  @Field(() => String, { description: 'What the customer calls it by.' })
  @Property({
    type: 'varchar',
    length: 20,
    unique: 'customer_order_number',
    defaultRaw: `('H'::text || lpad((nextval('order_number'::regclass))::text, 8, '0'::text))`,
  })
  number!: Opt<string>;

  @Property({ type: 'uuid' })
  customerId!: string;

  @Field(() => OrderStatus, { description: 'How far it is.' })
  @Property({ type: 'text', default: 'PENDING' })
  status!: OrderStatus;

  @Field(() => CancelReason, { nullable: true, description: 'Why it was cancelled.' })
  @Property({ type: 'text', nullable: true })
  cancelReason!: CancelReason | null;

  @Property({ type: 'numeric', precision: 14, scale: 2 })
  totalAmount!: string;

  @Property({ type: 'char', length: 3 })
  currencyCode!: string;

  @Field(() => ShippingAddress, { description: 'Where it goes.' })
  @Property({ type: 'jsonb' })
  shippingAddress!: ShippingAddress;

  @Field(() => Date, { nullable: true, description: 'Until when its stock is held, unpaid.' })
  @Property({ type: 'timestamptz', nullable: true })
  expiresAt!: Date | null;

  /** rises with each change of the order or a part of it */
  @Property({ type: 'integer', default: 1 })
  version!: Opt<number>;

  @Field(() => Date, { description: 'When it was placed.' })
  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;

  @Field(() => Date, { description: 'When it last changed.' })
  @Property({ type: 'timestamptz', defaultRaw: 'now()', onUpdate: () => new Date() })
  updatedAt!: Opt<Date>;
}

export const OrderConnection = connectionOf(Order, 'Order');

@Allow('parent')
@ObjectType({
  implements: Refusal,
  description: 'The time to pay was up; the stock is back on the shelf.',
})
export class OrderExpired extends Refusal {
  @Field(() => Order, { description: 'The order, which is cancelled or about to be.' })
  order!: Order;
}
