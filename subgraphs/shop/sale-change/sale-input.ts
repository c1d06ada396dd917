import { ArrayMaxSize, IsOptional, Max, Min, ValidateNested } from 'class-validator';
import { Field, InputType, Int } from 'type-graphql';
import { saleOffersMax } from '../../contracts/sale.js';
import type { SaleAdmission, SaleEligibility, WhenSoldOut } from '../../contracts/shop.js';
import { badInput } from '../../shared/errors.js';
import { Decimal, UUID } from '../../shared/graphql/scalars.js';
import { Amount, OneLine } from '../../shared/graphql/validation.js';
import { KeyField } from '../../shared/idempotency/key-field.js';
import { saleDaysMax } from '../sale/read-sales.js';
import { SaleAdmissionEnum, SaleEligibilityEnum } from '../sale/sale-event.js';
import { WhenSoldOutEnum } from '../sale/sale-offer.js';
import { SlugRule } from '../shop/create-shop.js';

const holdMinutesMax = 60;
const admissionMinutesMax = 60;
const admissionsMax = 1_000_000;
const allocationMax = 1_000_000;
// As many as the columns have.
const priceDigitsMax = 10;
const dayMs = 86_400_000;
/** How far ahead a sale may be planned. */
const aheadDaysMax = 366;

@InputType({ description: 'A new sale, which is a draft until it is published.' })
export class CreateSaleInput {
  @Field(() => UUID, {
    nullable: true,
    description: 'The shop; omitted for a platform event, which only admins make.',
  })
  @IsOptional()
  shopId?: string | null;

  @Field(() => String, { description: 'Name, 1 to 255 characters.' })
  @OneLine(255)
  name!: string;

  @Field(() => String, {
    description: 'URL slug: 1 to 100 characters of a-z, 0-9 and dashes; unique.',
  })
  @SlugRule()
  slug!: string;

  @Field(() => Date, { description: 'Start, at most 366 days ahead.' })
  startsAt!: Date;

  @Field(() => Date, { description: 'End, after the start by at most 31 days.' })
  endsAt!: Date;

  @Field(() => Int, {
    nullable: true,
    description:
      'How long an unpaid order keeps units of the sale, 1 to 60 minutes; as any order if omitted.',
  })
  @IsOptional()
  @Min(1)
  @Max(holdMinutesMax)
  holdMinutes?: number | null;

  @Field(() => SaleAdmissionEnum, { defaultValue: 'OPEN', description: 'How buyers get in.' })
  admission!: SaleAdmission;

  @Field(() => Int, {
    defaultValue: 5,
    description: 'Of QUEUED: how long an admission lasts, 1 to 60 minutes.',
  })
  @Min(1)
  @Max(admissionMinutesMax)
  admissionMinutes!: number;

  @Field(() => Int, {
    nullable: true,
    description:
      'Of QUEUED: customers who are admitted in a minute at most, 1 to 1,000,000; no limit if omitted.',
  })
  @IsOptional()
  @Min(1)
  @Max(admissionsMax)
  admissionsPerMinute?: number | null;

  @Field(() => SaleEligibilityEnum, { defaultValue: 'ANYONE', description: 'Who may buy.' })
  eligibility!: SaleEligibility;

  @Field(() => Date, {
    nullable: true,
    description: 'Of ACCOUNT_BEFORE, which requires it: users who registered later may not buy.',
  })
  @IsOptional()
  accountBefore?: Date | null;

  @KeyField()
  idempotencyKey?: string | null;
}

@InputType({ description: 'Changes to a sale. Omitted fields keep their value.' })
export class UpdateSaleInput {
  @Field(() => UUID, { description: 'The sale.' })
  id!: string;

  @Field(() => String, { nullable: true, description: 'New name, 1 to 255 characters.' })
  @IsOptional()
  @OneLine(255)
  name?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'New URL slug: 1 to 100 characters of a-z, 0-9 and dashes; unique.',
  })
  @IsOptional()
  @SlugRule()
  slug?: string | null;

  @Field(() => Date, { nullable: true, description: 'New start, at most 366 days ahead.' })
  @IsOptional()
  startsAt?: Date | null;

  @Field(() => Date, {
    nullable: true,
    description:
      'New end. That of a live sale may become earlier, but not sooner than 10 s from now, and never later.',
  })
  @IsOptional()
  endsAt?: Date | null;

  @Field(() => Int, {
    nullable: true,
    description:
      'How long an unpaid order keeps units of the sale, 1 to 60 minutes; null: as long as any order.',
  })
  @IsOptional()
  @Min(1)
  @Max(holdMinutesMax)
  holdMinutes?: number | null;

  @Field(() => SaleAdmissionEnum, { nullable: true, description: 'How buyers get in.' })
  @IsOptional()
  admission?: SaleAdmission | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Of QUEUED: how long an admission lasts, 1 to 60 minutes.',
  })
  @IsOptional()
  @Min(1)
  @Max(admissionMinutesMax)
  admissionMinutes?: number | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Of QUEUED: customers who are admitted in a minute at most, 1 to 1,000,000.',
  })
  @IsOptional()
  @Min(1)
  @Max(admissionsMax)
  admissionsPerMinute?: number | null;

  @Field(() => SaleEligibilityEnum, { nullable: true, description: 'Who may buy.' })
  @IsOptional()
  eligibility?: SaleEligibility | null;

  @Field(() => Date, {
    nullable: true,
    description: 'Of ACCOUNT_BEFORE: users who registered later may not buy.',
  })
  @IsOptional()
  accountBefore?: Date | null;
}

@InputType({ description: 'The terms of an offer in a sale.' })
export class SaleOfferInput {
  @Field(() => UUID, { description: 'The offer.' })
  offerId!: string;

  @Field(() => Decimal, {
    description:
      'Price of one unit in the sale, in the currency of the offer, not above its regular price.',
  })
  @Amount(priceDigitsMax)
  price!: string;

  @Field(() => Int, {
    description:
      'Units to set aside for the sale, 1 to 1,000,000. In a live sale down to those that are held and sold, which may be 0.',
  })
  @Min(0)
  @Max(allocationMax)
  allocation!: number;

  @Field(() => Int, {
    nullable: true,
    description:
      'Maximum number of units per customer in the sale, 1 to 1,000,000; no limit if omitted.',
  })
  @IsOptional()
  @Min(1)
  @Max(allocationMax)
  limitPerCustomer?: number | null;

  @Field(() => WhenSoldOutEnum, {
    defaultValue: 'REGULAR_PRICE',
    description: 'Whether the offer is sold at its regular price too, while the sale is live.',
  })
  whenSoldOut!: WhenSoldOut;
}

@InputType({
  description:
    'Offers to put into a sale, to change and to take out. Other offers of the sale stay as they are.',
})
export class SetSaleOffersInput {
  @Field(() => UUID, { description: 'The sale.' })
  saleId!: string;

  @Field(() => [SaleOfferInput], {
    defaultValue: [],
    description:
      'Offers with all of their terms, each once. A sale has at most 2,000, of one vendor in a platform event 200.',
  })
  @ArrayMaxSize(saleOffersMax)
  @ValidateNested({ each: true })
  offers!: SaleOfferInput[];

  @Field(() => [UUID], {
    defaultValue: [],
    description: 'Ids of offers to take out, at most 2,000. Those that are not in it are ignored.',
  })
  @ArrayMaxSize(saleOffersMax)
  remove!: string[];
}

interface Terms {
  readonly startsAt: Date;
  readonly endsAt: Date;
  readonly eligibility: SaleEligibility;
  readonly accountBefore: Date | null;
}

/** @throws `BAD_USER_INPUT` for times that no sale can have, and for `accountBefore` without its rule or the reverse */
export function requireTerms(
  { startsAt, endsAt, eligibility, accountBefore }: Terms,
  now: Date,
): void {
  const lastsMs = endsAt.getTime() - startsAt.getTime();
  if (lastsMs <= 0) throw badInput({ 'input.endsAt': 'must be after the start' });
  if (lastsMs > saleDaysMax * dayMs)
    throw badInput({ 'input.endsAt': `must be at most ${saleDaysMax} days after the start` });
  if (endsAt <= now) throw badInput({ 'input.endsAt': 'must be in the future' });
  if (startsAt.getTime() > now.getTime() + aheadDaysMax * dayMs)
    throw badInput({ 'input.startsAt': `must be at most ${aheadDaysMax} days ahead` });
  if (eligibility === 'ACCOUNT_BEFORE' && !accountBefore)
    throw badInput({ 'input.accountBefore': 'is required with ACCOUNT_BEFORE' });
  if (eligibility !== 'ACCOUNT_BEFORE' && accountBefore)
    throw badInput({ 'input.accountBefore': 'is allowed with ACCOUNT_BEFORE only' });
}
