import { secretOf, subgraphVariables, tokenVariables } from '../shared/config.js';

export const variables = {
  ...subgraphVariables('product', 4002),
  ...secretOf('product'),
  ...secretOf('shop'),
  ...secretOf('warehouse'),
  ...tokenVariables,
};
