import { defineSubgraph } from '../shared/define-subgraph.js';
import { runIfMain } from '../shared/runtime/process.js';
import { variables } from './config.js';
import { databaseSchema } from './mikro-orm.config.js';
import { onOfferChanged } from './offer-listing/on-offer-changed.js';
import { onStockChanged } from './offer-listing/on-stock-changed.js';
import { source } from './schema.js';

/** The product subgraph: categories, products, variants, and the listings that customers browse. */
export const subgraph = defineSubgraph({
  name: 'product',
  variables,
  databaseSchema,
  source,
  callers: ['router', 'shop', 'warehouse'],
  services: { shop: 'SHOP_URL' },
  consumes: {
    'shop.offer.changed': onOfferChanged,
    'warehouse.stock.changed': onStockChanged,
  },
  emits: { 'product.variant.removed': 'shop', 'product.variant.renamed': 'shop' },
});

export const startProduct = subgraph.start;

runIfMain(import.meta.url, startProduct);
