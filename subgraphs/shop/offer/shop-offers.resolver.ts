import { Arg, Args, Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { PageArgs } from '../../shared/graphql/connection.js';
import { Allow, VariesByUser } from '../../shared/rights/rights.js';
import type { ShopContext } from '../context.js';
import type { ShopRow } from '../shop/read-shops.js';
import { Shop } from '../shop/shop.js';
import { OfferConnection } from './offer.js';
import { offersOfShop } from './offers-of-shops.js';

@Resolver(() => Shop)
export class ShopOffersResolver {
  @Allow('anyone')
  @VariesByUser()
  @FieldResolver(() => OfferConnection, {
    description: 'Offers of the shop, newest first. Its owner sees inactive ones too.',
  })
  offers(
    @Root() shop: ShopRow,
    @Ctx() context: ShopContext,
    @Args(() => PageArgs) { first, after }: PageArgs,
    @Arg('search', () => String, {
      nullable: true,
      description:
        'Words of the product’s or variant’s name or of the SKU, beginnings of words, or parts of what is written without spaces; at most 100 characters. Blank: no search.',
    })
    search?: string,
  ) {
    return offersOfShop(context, shop, { first, after, search });
  }
}
