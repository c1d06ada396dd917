import { type Opt, PrimaryKeyProp } from '@mikro-orm/core';
import {
  Check,
  Entity,
  Filter,
  Index,
  PrimaryKey,
  Property,
  Trigger,
} from '@mikro-orm/decorators/legacy';
import { Directive, Field, ObjectType } from 'type-graphql';
import { amountScale } from '../../shared/currencies.js';
import { isOneOf } from '../../shared/database/is-one-of.js';
import { Retained } from '../../shared/database/retention.js';
import { connectionOf } from '../../shared/graphql/connection.js';
import { Refusal } from '../../shared/graphql/refusal.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';
import { isWaitingSql } from '../waiting-orders.js';
import { neverHeldRetention } from './never-held-orders.js';
import type { ShippingAddress } from './shipping-address.js';
import { CancelReason, OrderStatus } from './status.js';

@Directive('@key(fields: "id")')
@Allow('own', 'shop-owner')
@ObjectType({ description: 'An order, placed by one checkout across shops.' })
@Retained(neverHeldRetention, {
  permanently: 'a business record, which commercial and tax law require for years',
})
@Entity({ tableName: 'customer_order' })
@Index({ name: 'customer_order_id', properties: ['id'] })
@Index({
  name: 'customer_order_pending',
  expression: `create index customer_order_pending on customer_order (expires_at) where ${isWaitingSql}`,
})
@Index({
  name: 'customer_order_not_reserved',
  expression: `create index customer_order_not_reserved on customer_order (id) where status = 'PENDING' and expires_at is null`,
})
@Check({
  name: 'customer_order_status_known',
  expression: isOneOf('status', Object.keys(OrderStatus)),
})
@Index({
  name: 'customer_order_never_held',
  expression: `create index customer_order_never_held on customer_order (created_at) where number is null and status = 'CANCELLED'`,
})
@Index({
  name: 'customer_order_sale_address',
  expression: `create index customer_order_sale_address on customer_order (sale_address) where sale_address is not null`,
})
@Trigger({
  name: 'number_is_final',
  timing: 'before',
  events: ['update'],
  forEach: 'row',
  // As PostgreSQL writes it, so that the schemas can be compared.
  when: '(((old.number)::text IS DISTINCT FROM (new.number)::text) AND (old.number IS NOT NULL))',
  body: `raise exception 'the number of an order never changes'`,
})
// Hides from every `find` the orders without a number; `ShopOrder` has its own.
@Filter({ name: 'held', cond: { number: { $ne: null } }, default: true })
@Check({
  name: 'customer_order_cancel_reason',
  expression: `(status = 'CANCELLED') = (cancel_reason is not null)`,
})
@Check({
  name: 'customer_order_held',
  expression: `number is not null or (expires_at is null and status in ('PENDING', 'CANCELLED'))`,
})
@Check({ name: 'customer_order_total', expression: 'total_amount >= 0' })
export class Order {
  [PrimaryKeyProp]?: ['customerId', 'id'];

  @PrimaryKey({ type: 'uuid' })
  customerId!: string;

  @Field(() => UUID, { description: 'Id of the order.' })
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  /**
   * null until the stock is held (order-number.ts): then it is not yet an order to anybody, and if it is
   * cancelled, it never becomes one. `numbered_order` keeps it unique
   */
  @Field(() => String, { description: 'Human-readable order number: H and at least 8 digits.' })
  @Property({ type: 'varchar', length: 20, nullable: true })
  number!: Opt<string | null>;

  @Field(() => OrderStatus, { description: 'Current status.' })
  @Property({ type: 'text', default: 'PENDING' })
  status!: OrderStatus;

  @Field(() => CancelReason, {
    nullable: true,
    description: 'Why the order was cancelled; null unless it is CANCELLED.',
  })
  @Property({ type: 'text', nullable: true })
  cancelReason!: CancelReason | null;

  @Property({ type: 'numeric', precision: 14, scale: amountScale })
  totalAmount!: string;

  @Property({ type: 'char', length: 3 })
  currencyCode!: string;

  @Property({ type: 'jsonb' })
  shippingAddress!: ShippingAddress;

  @Field(() => Date, {
    nullable: true,
    description: 'Time at which the order expires if it is unpaid.',
  })
  @Property({ type: 'timestamptz', length: 3, nullable: true })
  expiresAt!: Date | null;

  /** how long its stock is held, where a sale makes that shorter than the setting; null: as the setting says */
  @Property({ type: 'integer', nullable: true })
  reserveForMs!: Opt<number | null>;

  /** keyed hash of its address, of an order with lines of a sale (sale-address.ts) */
  @Property({ type: 'varchar', length: 43, nullable: true })
  saleAddress!: Opt<string | null>;

  /** rises with each change of the order or a shop order */
  @Property({ type: 'integer', default: 1 })
  version!: Opt<number>;

  @Field(() => Date, { description: 'Time of the checkout.' })
  @Property({ type: 'timestamptz', length: 3, defaultRaw: 'now()' })
  createdAt!: Opt<Date>;

  @Field(() => Date, { description: 'Time of the last change.' })
  @Property({ type: 'timestamptz', length: 3, defaultRaw: 'now()', onUpdate: () => new Date() })
  updatedAt!: Opt<Date>;
}

export const OrderConnection = connectionOf(Order, 'Order');

@Allow('parent')
@ObjectType({
  implements: Refusal,
  description: 'The payment window expired and the stock was released.',
})
export class OrderExpired extends Refusal {
  @Field(() => Order, { description: 'The order, which is cancelled or about to be cancelled.' })
  order!: Order;
}
