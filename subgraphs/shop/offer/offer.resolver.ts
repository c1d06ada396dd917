import { Arg, Ctx, Directive, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql';
import { loaderOf } from '../../shared/graphql/context.js';
import { ListMax } from '../../shared/graphql/list-max.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Money, money } from '../../shared/money.js';
import { Allow } from '../../shared/rights/rights.js';
import type { ShopContext } from '../context.js';
import { ProductVariant } from '../references.js';
import { loadOfferSales, OfferSale } from '../sale-window/offer-sale.js';
import { loadShops } from '../shop/read-shops.js';
import { Shop } from '../shop/shop.js';
import { Offer } from './offer.js';
import { OfferForSale } from './offer-for-sale.js';
import { loadOffers, type OfferOfShop, type OfferRow } from './read-offers.js';
import { readOffersForSale } from './read-offers-for-sale.js';
import { removeOffer } from './remove-offer.js';
import { SetOfferInput, setOffer } from './set-offer.js';

const offersMax = 10_000;

@Resolver(() => Offer)
export class OfferResolver {
  @Allow('anyone')
  @Query(() => Offer, {
    nullable: true,
    description: 'An offer by id; null if there is none, or it was removed.',
  })
  async offer(
    @Arg('id', () => UUID, { description: 'Id of the offer.' }) id: string,
    @Ctx() context: ShopContext,
  ) {
    const offer = await loaderOf(context, loadOffers).load(id);
    return offer?.isRemoved ? null : offer;
  }

  @Directive('@inaccessible')
  @Allow('caller:order')
  @ListMax(offersMax)
  @Query(() => [OfferForSale], {
    description: 'Current state of offers; unknown ids are left out.',
  })
  offersForSale(
    @Arg('ids', () => [UUID], { description: 'Ids of the offers.' }) ids: string[],
    @Ctx() context: ShopContext,
  ) {
    return readOffersForSale(context, ids);
  }

  @Allow('shop-owner')
  @Mutation(() => Offer, {
    description: 'Creates, replaces or restores a shop’s offer of a variant.',
  })
  setOffer(@Arg('input', () => SetOfferInput) input: SetOfferInput, @Ctx() context: ShopContext) {
    return setOffer(context, input);
  }

  @Allow('shop-owner')
  @Mutation(() => Boolean, {
    description: 'Removes an offer; also true if it was removed before. Orders still show it.',
  })
  removeOffer(
    @Arg('id', () => UUID, { description: 'The offer.' }) id: string,
    @Ctx() context: ShopContext,
  ) {
    return removeOffer(context, id);
  }

  @Allow('anyone')
  @FieldResolver(() => Shop, { description: 'The shop.' })
  shop(@Root() offer: OfferRow | OfferOfShop, @Ctx() context: ShopContext) {
    return 'shopRow' in offer ? offer.shopRow : loaderOf(context, loadShops).load(offer.shopId);
  }

  @Allow('anyone')
  @FieldResolver(() => ProductVariant, { nullable: true, description: 'The variant.' })
  variant(@Root() offer: OfferRow): ProductVariant {
    return { sku: offer.sku };
  }

  @Allow('anyone')
  @FieldResolver(() => Money, {
    description: 'Regular price of one unit; `sale` has the price in a sale.',
  })
  price(@Root() offer: OfferRow): Money {
    return money(offer.priceAmount, offer.currencyCode);
  }

  @Allow('anyone')
  @FieldResolver(() => Money, {
    nullable: true,
    description: 'Higher price to show beside it: the former price, or the price elsewhere.',
  })
  compareAtPrice(@Root() { compareAtAmount, currencyCode }: OfferRow): Money | null {
    return compareAtAmount === null ? null : money(compareAtAmount, currencyCode);
  }

  @Allow('anyone')
  @FieldResolver(() => OfferSale, {
    nullable: true,
    description:
      'The sale that the offer is in, or will be; null without one, and while the sale is paused.',
  })
  sale(@Root() { id, saleId }: OfferRow, @Ctx() context: ShopContext) {
    return saleId === null ? null : loaderOf(context, loadOfferSales).load(id);
  }
}
