import { IsOptional, Length, Matches } from 'class-validator';
import { Field, InputType, registerEnumType } from 'type-graphql';
import { Decimal, UUID } from '../../shared/graphql/scalars.js';

export const ProductSort = {
  NEWEST: 'NEWEST',
  NAME: 'NAME',
  PRICE_ASC: 'PRICE_ASC',
  PRICE_DESC: 'PRICE_DESC',
  RELEVANCE: 'RELEVANCE',
} as const;
export type ProductSort = keyof typeof ProductSort;
registerEnumType(ProductSort, {
  name: 'ProductSort',
  description: 'The order of a list of products.',
  valuesConfig: {
    NEWEST: { description: 'The newest first.' },
    NAME: { description: 'By name, without regard to case.' },
    PRICE_ASC: {
      description:
        'The cheapest first: by the lowest price that satisfies the filter, in its currency. What has none is last.',
    },
    PRICE_DESC: {
      description: 'As PRICE_ASC, the highest of these prices first. What has none is last.',
    },
    RELEVANCE: { description: 'What matches the search best first; without one, the newest.' },
  },
});

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
