import type { Opt } from '@mikro-orm/core';
import {
  Check,
  Entity,
  Index,
  ManyToOne,
  PrimaryKey,
  Property,
} from '@mikro-orm/decorators/legacy';
import { Directive, Field, Int, ObjectType } from 'type-graphql';
import { saleStateEnum } from '../../contracts/sale.js';
import {
  type SaleAdmission,
  type SaleEligibility,
  saleAdmissions,
  saleEligibilities,
} from '../../contracts/shop.js';
import { isOneOf } from '../../shared/database/is-one-of.js';
import { Retained } from '../../shared/database/retention.js';
import { connectionOf } from '../../shared/graphql/connection.js';
import { enumOf } from '../../shared/graphql/enum-of.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';
import { Shop } from '../shop/shop.js';
import type { PendingChange, RefusedChange } from './pending-change.js';

export const SaleAdmissionEnum = enumOf('SaleAdmission', 'How buyers get into a sale.', {
  OPEN: 'At once.',
  QUEUED: 'By the queue of the sale.',
} satisfies Record<SaleAdmission, string>);

export const SaleEligibilityEnum = enumOf('SaleEligibility', 'Who may buy in a sale.', {
  ANYONE: 'Every signed-in user.',
  PROVEN_PHONE: 'Users with a verified phone number, each number once.',
  ACCOUNT_BEFORE: 'Users who registered before `accountBefore`.',
} satisfies Record<SaleEligibility, string>);

/**
 * Life of a sale: DRAFT → PUBLISHING → PUBLISHED ⇄ PAUSED; DRAFT, PUBLISHING, PUBLISHED and PAUSED → CANCELLED;
 * PUBLISHING → DRAFT where the warehouse has too few units. Whether a published sale is scheduled, live or ended is
 * decided by PostgreSQL’s clock at read (`saleStateSql`).
 */
const saleStatuses = ['DRAFT', 'PUBLISHING', 'PUBLISHED', 'PAUSED', 'CANCELLED'] as const;
export type SaleStatus = (typeof saleStatuses)[number];

export const SaleStateEnum = enumOf(...saleStateEnum);
export type SaleState = keyof typeof SaleStateEnum;

/** Steps of a change that the warehouse has to confirm (`sale-change/advance-sale.ts`). */
const saleSteps = ['ALLOCATE', 'REVERT'] as const;
export type SaleStep = (typeof saleSteps)[number];

@Directive('@key(fields: "id")')
@Allow('anyone')
@ObjectType({
  description: 'A sale: offers at lower prices, with units set aside, between two times.',
})
@Retained({
  permanently: 'orders and reports refer to it; a shop has at most 100 that are not over',
})
@Entity({ tableName: 'sale_event' })
@Index({ name: 'sale_event_shop', properties: ['shopId', 'id'] })
@Index({
  name: 'sale_event_shop_published',
  expression:
    'create index sale_event_shop_published on sale_event (shop_id, id) where published_at is not null',
})
@Index({
  name: 'sale_event_open',
  expression: `create index sale_event_open on sale_event (starts_at, id) where status in ('PUBLISHED', 'PAUSED')`,
})
@Index({
  name: 'sale_event_queued',
  expression: `create index sale_event_queued on sale_event (ends_at) where admission = 'QUEUED' and published_at is not null`,
})
@Index({
  name: 'sale_event_due',
  expression: 'create index sale_event_due on sale_event (next_attempt_at) where step is not null',
})
@Check({ name: 'sale_event_window', expression: 'ends_at > starts_at' })
@Check({ name: 'sale_event_hold_minutes', expression: 'hold_minutes > 0' })
@Check({ name: 'sale_event_admission', expression: isOneOf('admission', saleAdmissions) })
@Check({
  name: 'sale_event_admission_limits',
  expression: 'admission_minutes > 0 and admissions_per_minute > 0',
})
@Check({ name: 'sale_event_eligibility', expression: isOneOf('eligibility', saleEligibilities) })
@Check({
  name: 'sale_event_account_before',
  expression: "(eligibility = 'ACCOUNT_BEFORE') = (account_before is not null)",
})
@Check({ name: 'sale_event_status', expression: isOneOf('status', saleStatuses) })
@Check({ name: 'sale_event_step', expression: isOneOf('step', saleSteps) })
@Check({ name: 'sale_event_pending', expression: '(step is null) = (pending is null)' })
export class SaleEvent {
  @Field(() => UUID, { description: 'The id of the sale.' })
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  /** null: a platform event, which several shops may join */
  @ManyToOne(() => Shop, {
    mapToPk: true,
    fieldName: 'shop_id',
    index: false,
    nullable: true,
    updateRule: 'no action',
    deleteRule: 'no action',
  })
  shopId!: string | null;

  @Field(() => String, { description: 'Display name.' })
  @Property({ type: 'varchar', length: 255 })
  name!: string;

  @Field(() => String, { description: 'URL slug; unique.' })
  @Property({ type: 'varchar', length: 300, unique: 'sale_event_slug' })
  slug!: string;

  @Field(() => Date, { description: 'From when its units can be bought.' })
  @Property({ type: 'timestamptz', length: 3 })
  startsAt!: Date;

  @Field(() => Date, { description: 'Until when its units can be bought.' })
  @Property({ type: 'timestamptz', length: 3 })
  endsAt!: Date;

  @Field(() => Int, {
    nullable: true,
    description:
      'How long an unpaid order keeps units of the sale, in minutes; null: as long as any order.',
  })
  @Property({ type: 'integer', nullable: true })
  holdMinutes!: number | null;

  @Field(() => SaleAdmissionEnum, { description: 'How buyers get into the sale.' })
  @Property({ type: 'text', default: 'OPEN' })
  admission!: SaleAdmission;

  @Field(() => Int, {
    description: 'Of QUEUED: how long an admission lasts, in minutes. A pause makes it longer.',
  })
  @Property({ type: 'integer', default: 5 })
  admissionMinutes!: number;

  @Field(() => Int, {
    nullable: true,
    description:
      'Of QUEUED: customers who are admitted in a minute at most; null: as many as there are units for.',
  })
  @Property({ type: 'integer', nullable: true })
  admissionsPerMinute!: number | null;

  @Field(() => SaleEligibilityEnum, { description: 'Who may buy in the sale.' })
  @Property({ type: 'text', default: 'ANYONE' })
  eligibility!: SaleEligibility;

  @Field(() => Date, {
    nullable: true,
    description: 'Of ACCOUNT_BEFORE: users who registered later may not buy.',
  })
  @Property({ type: 'timestamptz', length: 3, nullable: true })
  accountBefore!: Date | null;

  @Property({ type: 'text', default: 'DRAFT' })
  status!: Opt<SaleStatus>;

  /** when it was published; everybody sees it from then on */
  @Property({ type: 'timestamptz', nullable: true })
  publishedAt!: Date | null;

  @Property({ type: 'timestamptz', length: 3, nullable: true })
  cancelledAt!: Date | null;

  /** of the allocation that the warehouse is requested to have; rises with each request that differs */
  @Property({ type: 'integer', default: 0 })
  revision!: Opt<number>;

  /** the step of `pending` that is to be completed; null: nothing is */
  @Property({ type: 'text', nullable: true })
  step!: SaleStep | null;

  @Property({ type: 'jsonb', nullable: true })
  pending!: PendingChange | null;

  /** when `pending` was stored */
  @Property({ type: 'timestamptz', nullable: true })
  changeBeganAt!: Opt<Date> | null;

  /** the last change that did not become valid */
  @Property({ type: 'jsonb', nullable: true })
  refused!: RefusedChange | null;

  @Property({ type: 'integer', default: 0 })
  attempts!: Opt<number>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  nextAttemptAt!: Opt<Date>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  createdAt!: Opt<Date>;

  @Property({ type: 'timestamptz', defaultRaw: 'now()', onUpdate: () => new Date() })
  updatedAt!: Opt<Date>;
}

export const SaleEventConnection = connectionOf(SaleEvent, 'SaleEvent');
