import { z } from 'zod';
import {
  address,
  requiredInProduction,
  secretOf,
  setting,
  subgraphVariables,
  tokenVariables,
} from '../shared/config.js';

export const variables = {
  ...subgraphVariables('order', 4005),
  ...secretOf('order'),
  ...secretOf('warehouse'),
  ...tokenVariables,
  USER_URL: requiredInProduction(
    address,
    'http://127.0.0.1:4001/graphql',
    'the GraphQL endpoint of the user subgraph',
  ),
  SHOP_URL: requiredInProduction(
    address,
    'http://127.0.0.1:4003/graphql',
    'the GraphQL endpoint of the shop subgraph',
  ),
  WAREHOUSE_URL: requiredInProduction(
    address,
    'http://127.0.0.1:4004/graphql',
    'the GraphQL endpoint of the warehouse subgraph',
  ),
  EVENTS_REDIS_URL: requiredInProduction(
    address,
    'redis://127.0.0.1:63799/0',
    'the Redis that carries hints that orders changed; nothing is kept there',
  ),
  PAYMENT_SANDBOX_URL: requiredInProduction(
    address,
    'http://127.0.0.1:4010',
    'the payment provider',
  ),
  RESERVATION_MINUTES: setting(
    z.coerce.number().min(0.001).max(10_080),
    '15',
    'for how long an unpaid order holds its stock; fractions are allowed',
  ),
};
