import { Directive, Field, Int, ObjectType } from 'type-graphql';
import type * as contract from '../../contracts/shop.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';

@Directive('@inaccessible')
@Allow('parent')
@ObjectType({ description: 'An offer as a checkout reads it, at this moment.' })
export class OfferForSale implements contract.OfferForSale {
  @Field(() => UUID, { description: 'The id of the offer.' })
  id!: string;

  @Field(() => UUID, { description: 'The shop that sells.' })
  shopId!: string;

  @Field(() => String, { description: 'The variant that is sold.' })
  sku!: string;

  @Field(() => String, { description: 'The name of the product and of the variant.' })
  name!: string;

  @Field(() => String, { description: 'The price, as a decimal number.' })
  priceAmount!: string;

  @Field(() => String, { description: 'ISO 4217.' })
  currencyCode!: string;

  @Field(() => Int, { nullable: true, description: 'How many units one customer may buy.' })
  purchaseLimit!: number | null;

  @Field(() => Boolean, { description: 'Whether it can be bought.' })
  active!: boolean;
}
