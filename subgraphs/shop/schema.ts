import { loaderOf } from '../shared/graphql/context.js';
import type { SchemaSource } from '../shared/graphql/schema.js';
import type { ShopContext } from './context.js';
import { OfferResolver } from './offer/offer.resolver.js';
import { loadOffers } from './offer/read-offers.js';
import { ShopOffersResolver } from './offer/shop-offers.resolver.js';
import { ProductResolver } from './pricing/product.resolver.js';
import { VariantResolver } from './pricing/variant.resolver.js';
import { Product } from './references.js';
import { loadShops } from './shop/read-shops.js';
import { ShopResolver } from './shop/shop.resolver.js';

export const source: SchemaSource = {
  resolvers: [ShopResolver, OfferResolver, ShopOffersResolver, VariantResolver, ProductResolver],
  orphanedTypes: [Product],
  references: {
    Shop: ({ id }, context: ShopContext) => loaderOf(context, loadShops).load(id as string),
    Offer: ({ id }, context: ShopContext) => loaderOf(context, loadOffers).load(id as string),
    ProductVariant: ({ sku }) => ({ sku }),
    Product: (reference) => reference,
  },
};
