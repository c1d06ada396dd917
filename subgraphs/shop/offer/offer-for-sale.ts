import { Directive, Field, Int, ObjectType } from 'type-graphql';
import type * as contract from '../../contracts/shop.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';

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

  @Field(() => String, { description: 'Price of one unit, as a decimal number.' })
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
}
