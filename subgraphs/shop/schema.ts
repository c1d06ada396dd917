import { idsOf } from '../shared/graphql/entities.js';
import type { SchemaSource } from '../shared/graphql/schema.js';
import type { ShopContext } from './context.js';
import { OfferResolver } from './offer/offer.resolver.js';
import { loadOffers, type OfferRow } from './offer/read-offers.js';
import { ShopOffersResolver } from './offer/shop-offers.resolver.js';
import { ProductResolver } from './pricing/product.resolver.js';
import { readOffersOfVariants, VariantResolver } from './pricing/variant.resolver.js';
import { Product } from './references.js';
import { loadSales } from './sale/read-sales.js';
import { SaleOfferResolver, SaleResolver, ShopSalesResolver } from './sale/sale.resolver.js';
import {
  RefusedSaleLineResolver,
  SaleChangesResolver,
} from './sale-change/sale-changes.resolver.js';
import { OfferSaleResolver } from './sale-window/offer-sale.resolver.js';
import { loadShops } from './shop/read-shops.js';
import { ShopResolver } from './shop/shop.resolver.js';

export const source: SchemaSource = {
  resolvers: [
    ShopResolver,
    OfferResolver,
    ShopOffersResolver,
    VariantResolver,
    ProductResolver,
    OfferSaleResolver,
    SaleResolver,
    ShopSalesResolver,
    SaleOfferResolver,
    SaleChangesResolver,
    RefusedSaleLineResolver,
  ],
  orphanedTypes: [Product],
  references: {
    Shop: (references, context: ShopContext) => loadShops(idsOf(references), context),
    Offer: (references, context: ShopContext) => loadOffers(idsOf(references), context),
    // Other subgraphs refer to sales that were published.
    async SaleEvent(references, context: ShopContext) {
      const sales = await loadSales(idsOf(references), context);
      return sales.map((sale) => (sale?.publishedAt ? sale : null));
    },
    ProductVariant: (references) => references,
    Product: (references) => references,
  },
  fields: {
    'Offer.shop': (offers: readonly OfferRow[], context: ShopContext) =>
      loadShops(
        offers.map(({ shopId }) => shopId),
        context,
      ),
    'ProductVariant.offers': readOffersOfVariants,
  },
};
