import { IsOptional, Length } from 'class-validator';
import { Field, InputType } from 'type-graphql';
import { enumOf } from '../../shared/graphql/enum-of.js';
import { Decimal, UUID } from '../../shared/graphql/scalars.js';
import { Amount, CurrencyCode } from '../../shared/graphql/validation.js';

export const ProductSort = enumOf('ProductSort', 'Sort order of a list of products.', {
  NEWEST: 'Newest first.',
  NAME: 'By name, in the order of the root collation of Unicode.',
  PRICE_ASC:
    'By the lowest price that satisfies the filter, in its currency, cheapest first. Products without one come last.',
  PRICE_DESC: 'By the same price as PRICE_ASC, highest first. Products without one come last.',
  RELEVANCE: 'Best match of `search` first; without a search, newest first.',
});
export type ProductSort = keyof typeof ProductSort;

// As many as prices have.
const priceDigitsMax = 10;

@InputType({
  description:
    'Conditions on products. Shop, price, currency and stock must all hold for the same offer.',
})
export class ProductFilter {
  @Field(() => String, {
    nullable: true,
    description:
      'Words of the name or description, up to 200 characters, with or without accents. Beginnings of words, misspelled words, and parts of what is written without spaces match too. Blank: no search.',
  })
  @IsOptional()
  @Length(0, 200)
  search?: string | null;

  @Field(() => UUID, { nullable: true, description: 'In this category or one below it.' })
  categoryId?: string | null;

  @Field(() => Decimal, {
    nullable: true,
    description: 'Offered at this price or more, in the currency of the filter.',
  })
  @IsOptional()
  @Amount(priceDigitsMax)
  minPrice?: string | null;

  @Field(() => Decimal, {
    nullable: true,
    description: 'Offered at this price or less, in the currency of the filter.',
  })
  @IsOptional()
  @Amount(priceDigitsMax)
  maxPrice?: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'Offered in this currency (ISO 4217). Prices in the filter and sorts by price use it; USD if omitted.',
  })
  @IsOptional()
  @CurrencyCode()
  currencyCode?: string | null;

  @Field(() => Boolean, {
    nullable: true,
    description:
      'true: offered in stock, units of a live sale included; false: offered but sold out; omitted: either.',
  })
  inStock?: boolean | null;

  @Field(() => UUID, { nullable: true, description: 'Offered by this shop.' })
  shopId?: string | null;
}
