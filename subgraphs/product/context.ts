import type { SubgraphContext } from '../shared/context.js';

export type ProductContext = SubgraphContext;
