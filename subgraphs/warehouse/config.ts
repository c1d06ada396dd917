import { z } from 'zod';
import {
  address,
  feedVariables,
  replicaVariables,
  requiredInProduction,
  secretOf,
  setting,
  subgraphVariables,
  tokenVariables,
} from '../shared/config.js';

const addresses = z
  .string()
  .transform((list) => list.split(',').map((url) => url.trim()))
  .pipe(
    z.array(address).refine((urls) => urls.length === 1 || urls.length === 3, {
      error: 'give one address, or three separated by commas',
    }),
  );

export const variables = {
  ...subgraphVariables('warehouse', 4004),
  ...secretOf('warehouse'),
  ...secretOf('order'),
  ...secretOf('shop'),
  ...tokenVariables,
  ...replicaVariables,
  ...feedVariables,
  TIMER_REDIS_URL: requiredInProduction(
    address,
    'redis://127.0.0.1:63799/1',
    'the Redis for stock events and, in the database of this number, the timers of reservations; that database is for timers only',
  ),
  LOCK_REDIS_URLS: requiredInProduction(
    addresses,
    'redis://127.0.0.1:63799/2',
    'the Redis nodes of the locks, separated by commas: one, or three independent ones',
  ),
  SHOP_URL: requiredInProduction(
    address,
    'http://127.0.0.1:4003/graphql',
    'the GraphQL endpoint of the shop subgraph',
  ),
  PRODUCT_URL: requiredInProduction(
    address,
    'http://127.0.0.1:4002/graphql',
    'the GraphQL endpoint of the product subgraph',
  ),
  ORDER_URL: requiredInProduction(
    address,
    'http://127.0.0.1:4005/graphql',
    'the GraphQL endpoint of the order subgraph',
  ),
  LEDGER_MONTHS: setting(
    z.coerce.number().int().min(1).max(1200),
    '36',
    'whole months for which movements of stock stay in the ledger; older ones are detached, and only the last of each level is kept',
  ),
  SWEEP_EVERY_MS: setting(
    z.coerce.number().int().min(50),
    '500',
    'interval of the sweeper, which expires reservations whose timer was lost',
  ),
};
