import { Directive, Field, Float, Int, ObjectType } from 'type-graphql';
import type * as contract from '../../contracts/shop.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';

@Directive('@inaccessible')
@Allow('parent')
@ObjectType({ description: 'What a sale is for one of its offers, as read by a checkout.' })
export class SaleTerms implements contract.SaleTerms {
  @Field(() => UUID, { description: 'The sale.' })
  id!: string;

  @Field(() => String, { description: 'State at `decidedAt`.' })
  state!: contract.PublishedSaleState;

  @Field(() => String, { description: 'Price of one unit in the sale, as a decimal number.' })
  priceAmount!: string;

  @Field(() => Int, {
    nullable: true,
    description: 'Maximum number of units per customer in the sale; null for no limit.',
  })
  limitPerCustomer!: number | null;

  @Field(() => String, { description: 'Start, ISO 8601.' })
  startsAt!: string;

  @Field(() => String, { description: 'End, ISO 8601.' })
  endsAt!: string;

  @Field(() => Int, {
    nullable: true,
    description: 'How long an unpaid order keeps its units, in minutes; null: as any order.',
  })
  holdMinutes!: number | null;

  @Field(() => String, { description: 'How buyers get into the sale.' })
  admission!: contract.SaleAdmission;

  @Field(() => Int, { description: 'How long an admission lasts, in minutes.' })
  admissionMinutes!: number;

  @Field(() => Int, {
    nullable: true,
    description: 'Customers who are admitted in a minute at most; null for no limit.',
  })
  admissionsPerMinute!: number | null;

  @Field(() => Float, { description: 'How long it was paused in all, in ms, at `decidedAt`.' })
  pausedMs!: number;

  @Field(() => String, { description: 'Who may buy in the sale.' })
  eligibility!: contract.SaleEligibility;

  @Field(() => String, {
    nullable: true,
    description: 'Of ACCOUNT_BEFORE: users who registered later may not buy. ISO 8601.',
  })
  accountBefore!: string | null;

  @Field(() => String, {
    description: 'Whether the offer is sold at its regular price too, while the sale is live.',
  })
  whenSoldOut!: contract.WhenSoldOut;
}

@Directive('@inaccessible')
@Allow('parent')
@ObjectType({ description: 'Offer with its current price, as read by a checkout.' })
export class OfferForSale implements contract.OfferForSale {
  @Field(() => UUID, { description: 'The id of the offer.' })
  id!: string;

  @Field(() => UUID, { description: 'The shop.' })
  shopId!: string;

  @Field(() => String, { description: 'SKU of the variant.' })
  sku!: string;

  @Field(() => String, { description: 'Name of the product and of the variant.' })
  name!: string;

  @Field(() => String, { description: 'Regular price of one unit, as a decimal number.' })
  priceAmount!: string;

  @Field(() => String, { description: 'Currency of the price (ISO 4217).' })
  currencyCode!: string;

  @Field(() => Int, {
    nullable: true,
    description: 'Maximum number of units per customer; null for no limit.',
  })
  purchaseLimit!: number | null;

  @Field(() => Boolean, { description: 'Whether the offer can be bought.' })
  active!: boolean;

  @Field(() => Int, {
    nullable: true,
    description:
      'Maximum number of units that a customer may hold in unpaid orders; null for the setting of the order subgraph.',
  })
  holdLimit!: number | null;

  @Field(() => SaleTerms, {
    nullable: true,
    description: 'The sale that the offer is in: published, and neither ended nor cancelled.',
  })
  sale!: SaleTerms | null;

  @Field(() => String, {
    description: 'Time of this read by the clock of the primary, ISO 8601. It decides windows.',
  })
  decidedAt!: string;
}
