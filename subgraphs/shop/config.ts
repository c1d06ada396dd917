import {
  address,
  replicaVariables,
  requiredInProduction,
  secretOf,
  subgraphVariables,
  tokenVariables,
} from '../shared/config.js';

export const variables = {
  ...subgraphVariables('shop', 4003),
  ...secretOf('shop'),
  ...secretOf('product'),
  ...secretOf('warehouse'),
  ...secretOf('order'),
  ...tokenVariables,
  ...replicaVariables,
  PRODUCT_URL: requiredInProduction(
    address,
    'http://127.0.0.1:4002/graphql',
    'the GraphQL endpoint of the product subgraph',
  ),
  WAREHOUSE_URL: requiredInProduction(
    address,
    'http://127.0.0.1:4004/graphql',
    'the GraphQL endpoint of the warehouse subgraph',
  ),
};
