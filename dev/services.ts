import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's own folder, from the sources as well as from `dist`. */
export const root = findRoot(dirname(fileURLToPath(import.meta.url)));

function findRoot(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : findRoot(dirname(folder));
}

/** The processes of the system; their programs are in `dist`, after the build. */
export const services = [
  { name: 'user', port: 4001, program: 'subgraphs/user/index.js' },
  { name: 'product', port: 4002, program: 'subgraphs/product/index.js' },
  { name: 'shop', port: 4003, program: 'subgraphs/shop/index.js' },
  { name: 'warehouse', port: 4004, program: 'subgraphs/warehouse/index.js' },
  { name: 'order', port: 4005, program: 'subgraphs/order/index.js' },
  { name: 'router', port: 4000, program: 'router/index.js' },
] as const;

export const subgraphNames = ['user', 'product', 'shop', 'warehouse', 'order'] as const;
export type SubgraphName = (typeof subgraphNames)[number];
