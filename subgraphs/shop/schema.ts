import { loaderOf } from '../shared/context.js';
import { createInboxResolver } from '../shared/inbox.js';
import type { SchemaSource } from '../shared/schema.js';
import type { ShopContext } from './context.js';
import { OfferResolver } from './offer/offer.resolver.js';
import { loadOffers } from './offer/offer-row.js';
import { onVariantRemoved } from './offer/on-variant-removed.js';
import { onVariantRenamed } from './offer/on-variant-renamed.js';
import { Product } from './product/product.js';
import { ProductResolver } from './product/product.resolver.js';
import { loadShops } from './shop/load-shops.js';
import { ShopResolver } from './shop/shop.resolver.js';
import { VariantResolver } from './variant/variant.resolver.js';

const InboxResolver = createInboxResolver('Shop', ['product'], {
  'product.variant.removed': onVariantRemoved,
  'product.variant.renamed': onVariantRenamed,
});

export const source: SchemaSource = {
  resolvers: [ShopResolver, OfferResolver, VariantResolver, ProductResolver, InboxResolver],
  orphanedTypes: [Product],
  references: {
    Shop: ({ id }, context: ShopContext) => loaderOf(context, loadShops).load(id as string),
    Offer: ({ id }, context: ShopContext) => loaderOf(context, loadOffers).load(id as string),
    ProductVariant: ({ sku }) => ({ sku }),
    Product: (reference) => reference,
  },
};
