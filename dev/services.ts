import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's own folder, from the sources as well as from `dist`. */
export const root = findRoot(dirname(fileURLToPath(import.meta.url)));

function findRoot(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : findRoot(dirname(folder));
}

/** The payment provider to develop against, and the services: the program of each, in `dist`. */
export const programs = {
  sandbox: 'dev/payment-sandbox/index.js',
  user: 'subgraphs/user/index.js',
  product: 'subgraphs/product/index.js',
  shop: 'subgraphs/shop/index.js',
  warehouse: 'subgraphs/warehouse/index.js',
  order: 'subgraphs/order/index.js',
  router: 'router/index.js',
} as const;

export const subgraphNames = ['user', 'product', 'shop', 'warehouse', 'order'] as const;
export type SubgraphName = (typeof subgraphNames)[number];
