import { Arg, Ctx, FieldResolver, Int, Resolver, Root } from 'type-graphql';
import { pageRequest } from '../../shared/connection.js';
import { type BatchLoad, loaderOf } from '../../shared/context.js';
import { Allow } from '../../shared/rights.js';
import { UUID } from '../../shared/scalars.js';
import type { ShopContext } from '../context.js';
import { Offer } from '../offer/offer.js';
import { ProductVariant } from './variant.js';

interface OffersOf {
  sku: string;
  shopId: string | null;
  first: number;
}

/** The cheapest active offers of many variants, in one statement. */
const loadOffersOfVariants: BatchLoad<OffersOf, Offer[], ShopContext> = async (keys, { em }) => {
  const rows = await em.find(
    Offer,
    { sku: { $in: [...new Set(keys.map(({ sku }) => sku))] }, active: true },
    { orderBy: { priceAmount: 'asc', id: 'asc' } },
  );
  const bySku = Map.groupBy(rows, (row) => row.sku);
  return keys.map(({ sku, shopId, first }) => {
    const offers = bySku.get(sku) ?? [];
    return offers.filter((offer) => !shopId || offer.shopId === shopId).slice(0, first);
  });
};

@Resolver(() => ProductVariant)
export class VariantResolver {
  @Allow('anyone')
  @FieldResolver(() => [Offer], {
    nullable: true,
    description: 'What shops ask for it, the cheapest first.',
  })
  offers(
    @Root() variant: ProductVariant,
    @Ctx() context: ShopContext,
    @Arg('first', () => Int, { defaultValue: 20, description: '1 to 100.' }) first: number,
    @Arg('shopId', () => UUID, { nullable: true, description: 'Of this shop only.' })
    shopId?: string,
  ) {
    pageRequest(first, null);
    const key = { sku: variant.sku, shopId: shopId ?? null, first };
    return loaderOf(context, loadOffersOfVariants).load(key);
  }
}
