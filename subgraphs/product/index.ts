import { defineSubgraph } from '../shared/define-subgraph.js';
import { runIfMain } from '../shared/runtime/process.js';
import { variables } from './config.js';
import { databaseSchema } from './mikro-orm.config.js';
import { readCollationChange } from './name-collation.js';
import { onOfferChanged } from './offer-listing/on-offer-changed.js';
import { onStockChanged } from './offer-listing/on-stock-changed.js';
import { applyBoundaries } from './offer-listing/sale-window.js';
import { source } from './schema.js';
import { pruneWords } from './search/vocabulary.js';

/** The product subgraph: categories, products, variants, and the listings that customers browse. */
export const subgraph = defineSubgraph({
  name: 'product',
  variables,
  databaseSchema,
  source,
  callers: ['router', 'shop', 'warehouse'],
  services: { shop: 'SHOP_URL' },
  consumes: {
    'shop.offer.changed': { applyAll: onOfferChanged },
    'warehouse.stock.changed': { applyAll: onStockChanged },
  },
  workers: {
    'prices of sales': {
      everyMs: 250,
      run: ({ em }, isStopping) => applyBoundaries(em, isStopping),
    },
    vocabulary: { everyMs: 600_000, run: ({ em }, isStopping) => pruneWords(em, isStopping) },
  },
  gauges: [
    {
      name: 'holdfast_collation_changed',
      help: 'Whether the collation of names has another version than their indexes: 1 or 0.',
      read: ({ em }) => readCollationChange(em),
    },
  ],
  emits: { 'product.variant.removed': 'shop', 'product.variant.renamed': 'shop' },
});

export const startProduct = subgraph.start;

runIfMain(import.meta.url, startProduct);
