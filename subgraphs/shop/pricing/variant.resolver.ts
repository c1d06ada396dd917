import { Arg, Ctx, FieldResolver, Int, Resolver, Root } from 'type-graphql';
import { pageRequest } from '../../shared/graphql/connection.js';
import { loaderOf } from '../../shared/graphql/context.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';
import type { ShopContext } from '../context.js';
import { Offer } from '../offer/offer.js';
import { ProductVariant } from '../references.js';
import { loadCheapestOffers } from './cheapest-offers.js';

@Resolver(() => ProductVariant)
export class VariantResolver {
  @Allow('anyone')
  @FieldResolver(() => [Offer], {
    nullable: true,
    description:
      'Active offers of the variant, cheapest first. Amounts in different currencies are compared as numbers.',
  })
  offers(
    @Root() { sku }: ProductVariant,
    @Ctx() context: ShopContext,
    @Arg('first', () => Int, { defaultValue: 20, description: '1 to 100.' }) first: number,
    @Arg('shopId', () => UUID, { nullable: true, description: 'Only offers of this shop.' })
    shopId?: string,
  ) {
    pageRequest(first, null);
    return loaderOf(context, loadCheapestOffers).load({ sku, shopId: shopId ?? null, first });
  }
}

interface OffersArgs {
  readonly first: number;
  readonly shopId?: string | null;
}

/** `offers` of the variants of a page; with those of other arguments, one statement. */
export async function readOffersOfVariants(
  variants: readonly ProductVariant[],
  context: ShopContext,
  { first, shopId = null }: OffersArgs,
) {
  pageRequest(first, null);
  return loaderOf(context, loadCheapestOffers).loadMany(
    variants.map(({ sku }) => ({ sku, shopId, first })),
  );
}
