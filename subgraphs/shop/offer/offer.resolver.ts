import { Arg, Ctx, Directive, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql';
import { loaderOf } from '../../shared/context.js';
import { loadBy } from '../../shared/load.js';
import { Money, money } from '../../shared/money.js';
import { Allow } from '../../shared/rights.js';
import { UUID } from '../../shared/scalars.js';
import type { ShopContext } from '../context.js';
import { Shop } from '../shop/shop.js';
import { loadShops } from '../shop/shop.resolver.js';
import { ProductVariant } from '../variant/variant.js';
import { Offer } from './offer.js';
import { OfferForSale } from './offer-for-sale.js';
import { SetOfferInput, setOffer } from './set-offer.js';

export const loadOffers = loadBy(Offer, 'id');

@Resolver(() => Offer)
export class OfferResolver {
  @Allow('anyone')
  @Query(() => Offer, { nullable: true, description: 'One offer.' })
  offer(
    @Arg('id', () => UUID, { description: 'Its id.' }) id: string,
    @Ctx() context: ShopContext,
  ) {
    return loaderOf(context, loadOffers).load(id);
  }

  @Directive('@inaccessible')
  @Allow('caller:order')
  @Query(() => [OfferForSale], { description: 'Offers as they are now; unknown ids are left out.' })
  offersForSale(
    @Arg('ids', () => [UUID], { description: 'Their ids.' }) ids: string[],
    @Ctx() { em }: ShopContext,
  ) {
    return em.find(Offer, { id: { $in: ids } });
  }

  @Allow('shop-owner')
  @Mutation(() => Offer, { description: 'Sets a shop’s price for a variant.' })
  setOffer(@Arg('input', () => SetOfferInput) input: SetOfferInput, @Ctx() context: ShopContext) {
    return setOffer(context, input);
  }

  @Allow('anyone')
  @FieldResolver(() => Shop, { description: 'The shop that sells.' })
  shop(@Root() offer: Offer, @Ctx() context: ShopContext) {
    return loaderOf(context, loadShops).load(offer.shopId);
  }

  @Allow('anyone')
  @FieldResolver(() => ProductVariant, { nullable: true, description: 'The variant that is sold.' })
  variant(@Root() offer: Offer): ProductVariant {
    return { sku: offer.sku };
  }

  @Allow('anyone')
  @FieldResolver(() => Money, { description: 'The price of one unit.' })
  price(@Root() offer: Offer): Money {
    return money(offer.priceAmount, offer.currencyCode);
  }
}
