import { z } from 'zod';
import type { DatabaseUrls } from '../../ops/databases/urls.js';
import { readRunningSystem, stateFolder } from '../../ops/running-system.js';
import { subgraphNames } from '../../ops/subgraph-names.js';
import { variables as orderVariables } from '../../subgraphs/order/config.js';
import { loadConfig, setting } from '../../subgraphs/shared/config.js';

export const defaultStoreUrl = 'http://localhost:4000';

/** Variables of `npm run seed -- --demo`. */
export const demoVariables = {
  DEMO_STORE: setting(
    z.enum(['true', 'false']),
    'true',
    'true or false: whether Compose adds the demo store, whose accounts have a public password',
  ),
  STORE_URL: setting(
    z.url({ protocol: /^https?$/ }),
    defaultStoreUrl,
    'the address at which browsers reach the router, for the picture links of the demo store',
  ),
  PAYMENT_PROVIDER: orderVariables.PAYMENT_PROVIDER,
};

/**
 * The router's address: `STORE_URL`, or that of the system that `npm start` runs, if its databases are the ones to
 * seed. Null if neither is known.
 *
 * @throws ConfigError for an invalid `STORE_URL`
 */
export function storeUrlOf(
  databases: DatabaseUrls,
  env = process.env,
  running = readRunningSystem(stateFolder()),
): string | null {
  if (env.STORE_URL) return loadConfig({ STORE_URL: demoVariables.STORE_URL }, env).STORE_URL;
  const isOfSystem = subgraphNames.every((name) => running?.databases[name] === databases[name]);
  return running && isOfSystem ? new URL(running.graphqlUrl).origin : null;
}

/** Why the demo store, with an admin whose password is public, must not be added; undefined if it may. */
export function demoStoreRefusal(env = process.env): string | undefined {
  const { DEMO_STORE, PAYMENT_PROVIDER } = loadConfig(demoVariables, env);
  if (DEMO_STORE === 'false') return 'DEMO_STORE=false';
  return PAYMENT_PROVIDER === 'stripe' ? 'PAYMENT_PROVIDER=stripe takes money' : undefined;
}
