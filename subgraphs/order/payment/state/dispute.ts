import { type Opt, PrimaryKeyProp } from '@mikro-orm/core';
import { Check, Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, ObjectType } from 'type-graphql';
import { amountScale } from '../../../shared/currencies.js';
import { ForeignKey } from '../../../shared/database/foreign-key.js';
import { isOneOf } from '../../../shared/database/is-one-of.js';
import { Retained } from '../../../shared/database/retention.js';
import { UUID } from '../../../shared/graphql/scalars.js';
import { Allow } from '../../../shared/rights/rights.js';
import { DisputeStatus } from './status.js';

@Allow('parent')
@ObjectType({ description: 'A customer’s objection to a payment, made at their bank.' })
@Retained({ permanently: 'a business record, which commercial and tax law require for years' })
@Entity({ tableName: 'dispute' })
@ForeignKey({
  name: 'dispute_payment_id_foreign',
  columns: ['customer_id', 'payment_id'],
  references: { table: 'payment', columns: ['customer_id', 'id'] },
})
@Index({ name: 'dispute_id', properties: ['id'] })
@Index({
  name: 'dispute_of_provider',
  expression:
    'create unique index dispute_of_provider on dispute (customer_id, payment_id, provider_dispute_id)',
})
@Index({
  name: 'dispute_open',
  expression: `create index dispute_open on dispute (evidence_due_at) where status = 'OPEN'`,
})
@Check({ name: 'dispute_status_known', expression: isOneOf('status', Object.keys(DisputeStatus)) })
@Check({ name: 'dispute_amount', expression: 'amount >= 0' })
export class Dispute {
  [PrimaryKeyProp]?: ['customerId', 'id'];

  @PrimaryKey({ type: 'uuid' })
  customerId!: string;

  @Field(() => UUID, { description: 'Id of the dispute.' })
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  @Property({ type: 'uuid' })
  paymentId!: string;

  @Property({ type: 'varchar', length: 255 })
  providerDisputeId!: string;

  @Field(() => DisputeStatus, { description: 'Current status.' })
  @Property({ type: 'text' })
  status!: DisputeStatus;

  @Property({ type: 'numeric', precision: 14, scale: amountScale, fieldName: 'amount' })
  amountValue!: string;

  @Field(() => String, { description: 'Reason: a code of the provider, such as `fraudulent`.' })
  @Property({ type: 'varchar', length: 255 })
  reason!: string;

  @Property({ type: 'timestamptz', length: 3, nullable: true })
  evidenceDueAt!: Date | null;

  @Property({ type: 'boolean', default: false })
  fundsWithdrawn!: Opt<boolean>;

  @Property({ type: 'boolean', default: false })
  fundsReinstated!: Opt<boolean>;

  @Field(() => Date, { description: 'Time at which it became known.' })
  @Property({ type: 'timestamptz', length: 3, defaultRaw: 'now()' })
  createdAt!: Opt<Date>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  updatedAt!: Opt<Date>;
}
