import { defineSubgraph } from '../shared/define-subgraph.js';
import { runIfMain } from '../shared/runtime/process.js';
import { variables } from './config.js';
import type { ShopApp } from './context.js';
import { databaseSchema } from './mikro-orm.config.js';
import { onVariantRemoved } from './offer/on-variant-removed.js';
import { onVariantRenamed } from './offer/on-variant-renamed.js';
import { completeChanges, oldestChangeSeconds } from './sale-change/sale-jobs.js';
import { source } from './schema.js';

/** The shop subgraph: shops, their offers and sales, and what a variant costs. */
export const subgraph = defineSubgraph({
  name: 'shop',
  variables,
  databaseSchema,
  source,
  callers: ['router', 'product', 'warehouse', 'order'],
  services: { product: 'PRODUCT_URL', warehouse: 'WAREHOUSE_URL' },
  app: ({ services }): ShopApp => services,
  consumes: {
    'product.variant.removed': onVariantRemoved,
    'product.variant.renamed': onVariantRenamed,
  },
  workers: {
    'changes of sales': { everyMs: 2000, run: completeChanges },
  },
  gauges: [
    {
      name: 'holdfast_sale_change_seconds',
      help: 'Age of the oldest change of a sale that is not completed, in seconds, from when it was requested; 0 if there is none.',
      read: ({ em }) => oldestChangeSeconds(em),
    },
  ],
  emits: { 'shop.shop.created': 'warehouse', 'shop.offer.changed': 'product' },
});

export const startShop = subgraph.start;

runIfMain(import.meta.url, startShop);
