import type { SubgraphContext } from '../shared/graphql/context.js';

export type ProductContext = SubgraphContext;
