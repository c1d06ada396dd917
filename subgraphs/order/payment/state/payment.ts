import { type Opt, PrimaryKeyProp } from '@mikro-orm/core';
import { Check, Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, ObjectType } from 'type-graphql';
import { amountScale } from '../../../shared/currencies.js';
import { ForeignKey } from '../../../shared/database/foreign-key.js';
import { isOneOf } from '../../../shared/database/is-one-of.js';
import { Retained } from '../../../shared/database/retention.js';
import { connectionOf } from '../../../shared/graphql/connection.js';
import { UUID } from '../../../shared/graphql/scalars.js';
import { Allow } from '../../../shared/rights/rights.js';
import { PaymentDeclineCode } from '../provider/decline-code.js';
import { type PaymentFailure, PaymentStatus, paymentFailures } from './status.js';

@Directive('@key(fields: "id")')
@Allow('own')
@ObjectType({ description: 'One attempt to pay an order.' })
@Retained({ permanently: 'a business record, which commercial and tax law require for years' })
@Entity({ tableName: 'payment' })
@ForeignKey({
  name: 'payment_order_id_foreign',
  columns: ['customer_id', 'order_id'],
  references: { table: 'customer_order', columns: ['customer_id', 'id'] },
})
@Index({ name: 'payment_id', properties: ['id'] })
@Index({
  name: 'payment_live',
  expression: `create unique index payment_live on payment (customer_id, order_id) where status in ('PENDING', 'AUTHORIZED', 'COMPLETED')`,
})
@Index({ name: 'payment_order', properties: ['customerId', 'orderId', 'id'] })
@Index({
  name: 'payment_one_step',
  expression: `create unique index payment_one_step on payment (customer_id, order_id) where ends_order and failure is distinct from 'NOT_CHARGED'`,
})
@Index({
  name: 'payment_attempt',
  expression: `create unique index payment_attempt on payment (customer_id, attempt_day, attempt_slot) where attempt_slot is not null`,
})
@Index({
  name: 'payment_due',
  expression:
    'create index payment_due on payment (next_attempt_at) where next_attempt_at is not null',
})
@Check({ name: 'payment_status_known', expression: isOneOf('status', Object.keys(PaymentStatus)) })
@Check({ name: 'payment_amount', expression: 'amount > 0' })
@Check({ name: 'payment_failure_known', expression: isOneOf('failure', paymentFailures) })
@Check({
  name: 'payment_decline_code_known',
  expression: isOneOf('decline_code', Object.keys(PaymentDeclineCode)),
})
@Check({ name: 'payment_failure', expression: `(status = 'FAILED') = (failure is not null)` })
export class Payment {
  [PrimaryKeyProp]?: ['customerId', 'id'];

  /** the customer of the order, also if an admin pays it */
  @PrimaryKey({ type: 'uuid' })
  customerId!: string;

  @Field(() => UUID, { description: 'Id of the payment.' })
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  @Property({ type: 'uuid' })
  orderId!: string;

  @Property({ type: 'numeric', precision: 14, scale: amountScale, fieldName: 'amount' })
  amountValue!: string;

  @Property({ type: 'char', length: 3, default: 'USD' })
  currencyCode!: string;

  @Field(() => PaymentStatus, { description: 'Current status.' })
  @Property({ type: 'text', default: 'PENDING' })
  status!: PaymentStatus;

  @Field(() => String, { description: 'Payment method.' })
  @Property({ type: 'varchar', length: 50, default: 'Credit Card' })
  method!: string;

  /** the name under which the provider is configured (provider/providers.ts) */
  @Field(() => String, { description: 'Payment provider.' })
  @Property({ type: 'varchar', length: 50 })
  provider!: string;

  /** `provider_transaction` finds the payment by it */
  @Field(() => String, { nullable: true, description: 'Id of the payment at the provider.' })
  @Property({ type: 'varchar', length: 255, nullable: true })
  providerTransactionId!: string | null;

  /** why it is FAILED */
  @Property({ type: 'text', nullable: true })
  failure!: Opt<PaymentFailure | null>;

  /** of a decline */
  @Property({ type: 'text', nullable: true })
  declineCode!: Opt<PaymentDeclineCode | null>;

  /** the provider’s words, of a decline, a fault or a refused capture: for support, never for customers */
  @Property({ type: 'varchar', length: 255, nullable: true })
  declineReason!: string | null;

  /** when a webhook reported a decline while it was PENDING: the provider may have left it open to another card */
  @Property({ type: 'timestamptz', nullable: true })
  declinedAt!: Opt<Date | null>;

  /** the secret with which the customer acts; null if no action is required */
  @Property({ type: 'varchar', length: 255, nullable: true })
  clientSecret!: Opt<string | null>;

  /** whether a checkout with a payment method began it: if it is declined, the order is cancelled */
  @Property({ type: 'boolean', default: false })
  endsOrder!: Opt<boolean>;

  /** the day of its creation, by UTC */
  @Property({ type: 'date', nullable: true })
  attemptDay!: Opt<string | null>;

  /**
   * its place among the attempts of the customer on that day, from 1; null once it is clear that it is no
   * declined attempt
   */
  @Property({ type: 'smallint', nullable: true })
  attemptSlot!: Opt<number | null>;

  /** the number of times that a worker took it up */
  @Property({ type: 'integer', default: 0 })
  attempts!: Opt<number>;

  /** when a worker takes it up; null if nothing is left to do */
  @Property({ type: 'timestamptz', nullable: true })
  nextAttemptAt!: Opt<Date | null>;

  @Field(() => Date, { description: 'Time at which the payment began.' })
  @Property({ type: 'timestamptz', length: 3, defaultRaw: 'now()' })
  createdAt!: Opt<Date>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()', onUpdate: () => new Date() })
  updatedAt!: Opt<Date>;
}

export const PaymentConnection = connectionOf(Payment, 'Payment');
