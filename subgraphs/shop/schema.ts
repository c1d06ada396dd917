import { loaderOf } from '../shared/context.js';
import type { SchemaSource } from '../shared/schema.js';
import type { ShopContext } from './context.js';
import { loadOffers, OfferResolver } from './offer/offer.resolver.js';
import { loadShops, ShopResolver } from './shop/shop.resolver.js';
import { VariantResolver } from './variant/variant.resolver.js';

export const source: SchemaSource = {
  resolvers: [ShopResolver, OfferResolver, VariantResolver],
  references: {
    Shop: ({ id }, context: ShopContext) => loaderOf(context, loadShops).load(id as string),
    Offer: ({ id }, context: ShopContext) => loaderOf(context, loadOffers).load(id as string),
    ProductVariant: ({ sku }) => ({ sku }),
  },
};
