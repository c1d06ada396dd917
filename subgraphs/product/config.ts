import {
  address,
  replicaVariables,
  requiredInProduction,
  secretOf,
  subgraphVariables,
  tokenVariables,
} from '../shared/config.js';

export const variables = {
  ...subgraphVariables('product', 4002),
  ...secretOf('product'),
  ...secretOf('shop'),
  ...secretOf('warehouse'),
  ...tokenVariables,
  ...replicaVariables,
  SHOP_URL: requiredInProduction(
    address,
    'http://127.0.0.1:4003/graphql',
    'the GraphQL endpoint of the shop subgraph',
  ),
};
