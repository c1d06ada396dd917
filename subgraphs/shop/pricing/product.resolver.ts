import { Arg, Ctx, Directive, FieldResolver, Resolver, Root } from 'type-graphql';
import { currencyDefault, findCurrencyProblem } from '../../shared/currencies.js';
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
      'Lowest and highest price of the active offers in one currency: `currencyCode`, or else the currency of most of them (the first alphabetically in case of a tie). Null without such an offer.',
  })
  priceRange(
    @Root() { variants }: Product,
    @Ctx() context: ShopContext,
    @Arg('currencyCode', () => String, {
      nullable: true,
      description: 'Currency of the offers (ISO 4217).',
    })
    currencyCode?: string | null,
  ) {
    const problem = findCurrencyProblem(currencyCode ?? currencyDefault);
    if (problem) throw badInput({ currencyCode: problem });
    const skus = variants.map(({ sku }) => sku);
    return loaderOf(context, loadPriceRanges).load({ skus, currencyCode: currencyCode ?? null });
  }
}
