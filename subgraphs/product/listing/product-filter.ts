import { IsOptional, Length, Matches } from 'class-validator';
import { Field, InputType } from 'type-graphql';
import { enumOf } from '../../shared/graphql/enum-of.js';
import { Decimal, UUID } from '../../shared/graphql/scalars.js';

export const ProductSort = enumOf('ProductSort', 'Sort order of a list of products.', {
  NEWEST: 'Newest first.',
  NAME: 'By name, case-insensitive.',
  PRICE_ASC:
    'By the lowest price that satisfies the filter, in its currency, cheapest first. Products without one come last.',
  PRICE_DESC: 'By the same price as PRICE_ASC, highest first. Products without one come last.',
  RELEVANCE: 'Best match of `search` first; without a search, newest first.',
});
export type ProductSort = keyof typeof ProductSort;

const price = /^\d{1,10}(\.\d{1,2})?$/;
const priceMessage = { message: 'must be 0 or more, with at most two decimals' };

@InputType({
  description:
    'Which products. Shop, price and stock together mean one offer that satisfies them all.',
})
export class ProductFilter {
  @Field(() => String, {
    nullable: true,
    description:
      'Words of names and descriptions, up to 200 characters; their beginnings and mistyped ones too.',
  })
  @IsOptional()
  @Length(0, 200)
  search?: string | null;

  @Field(() => UUID, { nullable: true, description: 'In this category, or one below it.' })
  categoryId?: string | null;

  @Field(() => Decimal, { nullable: true, description: 'Offered at this price or above.' })
  @IsOptional()
  @Matches(price, priceMessage)
  minPrice?: string | null;

  @Field(() => Decimal, { nullable: true, description: 'Offered at this price or below.' })
  @IsOptional()
  @Matches(price, priceMessage)
  maxPrice?: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'Offered in this currency, three letters. That of prices and of sorts by price; USD where none is named.',
  })
  @IsOptional()
  @Matches(/^[A-Z]{3}$/, { message: 'must be three capital letters' })
  currencyCode?: string | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Whether the offer is in stock, or is not; left out, either.',
  })
  inStock?: boolean | null;

  @Field(() => UUID, { nullable: true, description: 'Offered by this shop.' })
  shopId?: string | null;
}
