import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the project, found from the sources as well as from `dist`. */
export const root = findRoot(dirname(fileURLToPath(import.meta.url)));

function findRoot(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : findRoot(dirname(folder));
}

export const subgraphNames = ['user', 'product', 'shop', 'warehouse', 'order'] as const;
export type SubgraphName = (typeof subgraphNames)[number];
