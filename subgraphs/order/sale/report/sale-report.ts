import { Field, Float, Int, ObjectType } from 'type-graphql';
import { connectionOf } from '../../../shared/graphql/connection.js';
import { ListMax } from '../../../shared/graphql/list-max.js';
import { Money } from '../../../shared/money.js';
import { Allow } from '../../../shared/rights/rights.js';
import type { ShopsOfSale } from './read-refusals.js';

/** Currencies of ISO 4217. */
const currenciesMax = 200;
/** Types of refusals and codes of errors. */
export const kindsMax = 100;

@Allow('parent')
@ObjectType({ description: 'How many checkouts of a sale were refused, of one kind.' })
export class SaleRefusalTotal {
  @Field(() => String, { description: 'Type of the refusal, or code of the error.' })
  kind!: string;

  @Field(() => Int, { description: 'Refused checkouts.' })
  count!: number;
}

@Allow('parent')
@ObjectType({
  description: 'How many checkouts of a sale were refused in one minute, of one kind.',
})
export class SaleRefusals {
  @Field(() => Date, { description: 'Beginning of the minute.' })
  minute!: Date;

  @Field(() => String, { description: 'Type of the refusal, or code of the error.' })
  kind!: string;

  @Field(() => Int, { description: 'Refused checkouts.' })
  count!: number;
}

export const SaleRefusalsConnection = connectionOf(SaleRefusals, 'SaleRefusals');

@Allow('parent')
@ObjectType({
  description:
    'What came of a sale so far. To the owner of some of its shops it is about their offers only; to admins, about all.',
})
export class SaleReport {
  /** what it is about */
  of!: ShopsOfSale;

  @Field(() => Int, { description: 'Units that are set aside, held or sold.' })
  allocated!: number;

  @Field(() => Int, { description: 'Units in unpaid orders.' })
  held!: number;

  @Field(() => Int, {
    description: 'Units that were paid. Those that were cancelled later are included.',
  })
  sold!: number;

  @Field(() => Int, {
    description:
      'Units of orders that were not paid in time. A unit that was held again may count again.',
  })
  expired!: number;

  @ListMax(currenciesMax)
  @Field(() => [Money], {
    description: 'Price of the paid units that are not cancelled, one amount per currency.',
  })
  revenue!: Money[];

  @Field(() => Float, {
    nullable: true,
    description:
      'Median time in seconds from the checkout of a paid order to the start of its payment; null without a paid order.',
  })
  medianSecondsToPay!: number | null;

  @Field(() => Float, {
    nullable: true,
    description:
      'Share of the allocated units that the account with most of them holds or has paid for, 0 to 1; null without an allocation.',
  })
  largestAccountShare!: number | null;

  @Field(() => Int, {
    description:
      'Units that orders have paid for beyond the allocation; always 0 in a correct system.',
  })
  oversold!: number;
}
