import { Arg, Ctx, Directive, FieldResolver, Resolver, Root } from 'type-graphql';
import { badInput } from '../../shared/errors.js';
import { loaderOf } from '../../shared/graphql/context.js';
import { Allow } from '../../shared/rights/rights.js';
import type { ShopContext } from '../context.js';
import { Product } from '../references.js';
import { loadPriceRanges, PriceRange } from './price-range.js';

@Resolver(() => Product)
export class ProductResolver {
  @Directive('@requires(fields: "variants { sku }")')
  @Allow('anyone')
  @FieldResolver(() => PriceRange, {
    nullable: true,
    description:
      'The lowest and the highest price of its active offers, which are all in one currency: the one asked for, else the one that most of them are in (of several such, the first by alphabet). Null where there is none.',
  })
  priceRange(
    @Root() { variants }: Product,
    @Ctx() context: ShopContext,
    @Arg('currencyCode', () => String, { nullable: true, description: 'ISO 4217: three letters.' })
    currencyCode?: string,
  ) {
    if (currencyCode && !/^[A-Z]{3}$/.test(currencyCode)) {
      throw badInput({ currencyCode: 'must be three capital letters, as in ISO 4217' });
    }
    const skus = variants.map(({ sku }) => sku);
    return loaderOf(context, loadPriceRanges).load({ skus, currencyCode: currencyCode ?? null });
  }
}
