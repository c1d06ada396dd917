import { type Opt, PrimaryKeyProp } from '@mikro-orm/core';
import { Check, Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, ObjectType } from 'type-graphql';
import { amountScale } from '../../../shared/currencies.js';
import { ForeignKey } from '../../../shared/database/foreign-key.js';
import { isOneOf } from '../../../shared/database/is-one-of.js';
import { Retained } from '../../../shared/database/retention.js';
import { connectionOf } from '../../../shared/graphql/connection.js';
import { UUID } from '../../../shared/graphql/scalars.js';
import { Allow } from '../../../shared/rights/rights.js';
import { RefundStatus } from './status.js';

/** Where a refund was requested: here, or by a person at the provider’s dashboard. */
export const refundOrigins = ['ORDER', 'DASHBOARD'] as const;
export type RefundOrigin = (typeof refundOrigins)[number];

/** Its id and `attempt` are the idempotency key at the provider. */
@Allow('parent')
@ObjectType({ description: 'A refund of a payment, in full or in part.' })
@Retained({ permanently: 'a business record, which commercial and tax law require for years' })
@Entity({ tableName: 'refund' })
@ForeignKey({
  name: 'refund_payment_id_foreign',
  columns: ['customer_id', 'payment_id'],
  references: { table: 'payment', columns: ['customer_id', 'id'] },
})
@ForeignKey({
  name: 'refund_shop_order_id_foreign',
  columns: ['customer_id', 'shop_order_id'],
  references: { table: 'shop_order', columns: ['customer_id', 'id'] },
})
@Index({ name: 'refund_id', properties: ['id'] })
@Index({
  name: 'refund_of_unsold',
  expression: `create unique index refund_of_unsold on refund (customer_id, payment_id) where origin = 'ORDER' and shop_order_id is null`,
})
@Index({
  name: 'refund_due',
  expression: `create index refund_due on refund (next_attempt_at) where status in ('PENDING', 'SENT')`,
})
@Index({
  name: 'refund_failed',
  expression: `create index refund_failed on refund (updated_at) where status = 'FAILED'`,
})
@Index({
  name: 'refund_at_provider',
  expression: `create index refund_at_provider on refund (created_at) where origin = 'DASHBOARD'`,
})
@Index({
  name: 'refund_of_provider',
  expression: `create unique index refund_of_provider on refund (customer_id, payment_id, provider_refund_id)`,
})
@Check({ name: 'refund_status_known', expression: isOneOf('status', Object.keys(RefundStatus)) })
@Index({ name: 'refund_shop_order', properties: ['customerId', 'shopOrderId'] })
@Check({ name: 'refund_amount', expression: 'amount > 0' })
@Check({ name: 'refund_origin_known', expression: isOneOf('origin', refundOrigins) })
@Check({
  name: 'refund_failure',
  expression: `(status = 'FAILED') = (failure_reason is not null)`,
})
@Check({
  name: 'refund_sent',
  expression: `status <> 'SENT' or provider_refund_id is not null`,
})
export class Refund {
  [PrimaryKeyProp]?: ['customerId', 'id'];

  @PrimaryKey({ type: 'uuid' })
  customerId!: string;

  @Field(() => UUID, { description: 'Id of the refund.' })
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  @Property({ type: 'uuid' })
  paymentId!: string;

  /** the shop order that is refunded; null for a payment to which nothing was sold, and at the dashboard */
  @Property({ type: 'uuid', nullable: true })
  shopOrderId!: string | null;

  @Property({ type: 'numeric', precision: 14, scale: amountScale, fieldName: 'amount' })
  amountValue!: string;

  @Field(() => String, { description: 'Reason.' })
  @Property({ type: 'varchar', length: 255 })
  reason!: string;

  @Field(() => RefundStatus, { description: 'Current status.' })
  @Property({ type: 'text', default: 'PENDING' })
  status!: Opt<RefundStatus>;

  /** the provider’s code of a failure: for support, never for customers */
  @Property({ type: 'varchar', length: 255, nullable: true })
  failureReason!: Opt<string | null>;

  @Property({ type: 'text', default: 'ORDER' })
  origin!: Opt<RefundOrigin>;

  /** the provider’s id of the newest attempt; null until it is sent */
  @Property({ type: 'varchar', length: 255, nullable: true })
  providerRefundId!: Opt<string | null>;

  /** what this refund need not return, because a lost dispute paid it */
  @Property({ type: 'numeric', precision: 14, scale: amountScale, default: 0 })
  coveredByDispute!: Opt<string>;

  /** what this refund need not return, because another one does: a person’s at the provider, or a newer one */
  @Property({ type: 'numeric', precision: 14, scale: amountScale, default: 0 })
  coveredByRefund!: Opt<string>;

  /** part of the idempotency key at the provider: the number of keys that are used up */
  @Property({ type: 'integer', default: 0 })
  attempt!: Opt<number>;

  /** how many of those the provider used up for a fault */
  @Property({ type: 'integer', default: 0 })
  keysUsedUp!: Opt<number>;

  /** null, or the time before which it must not be sent: the provider may still execute a request with a used-up key */
  @Property({ type: 'timestamptz', nullable: true })
  notBefore!: Opt<Date | null>;

  /** the number of times that a worker took it up */
  @Property({ type: 'integer', default: 0 })
  attempts!: Opt<number>;

  /** when a worker sends it, or looks it up, next */
  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  nextAttemptAt!: Opt<Date>;

  @Field(() => Date, { description: 'Time of the request.' })
  @Property({ type: 'timestamptz', length: 3, defaultRaw: 'now()' })
  createdAt!: Opt<Date>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  updatedAt!: Opt<Date>;
}

export const RefundConnection = connectionOf(Refund, 'Refund');
