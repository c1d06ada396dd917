import { z } from 'zod';
import { readRunningSystem, stateFolder } from '../../ops/running-system.js';
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
 * The router's address: `STORE_URL`, or that of the system that `npm start` runs, or the default.
 *
 * @throws ConfigError for an invalid `STORE_URL`
 */
export function storeUrlOf(
  env = process.env,
  runningUrl = readRunningSystem(stateFolder())?.graphqlUrl ?? null,
): string {
  if (!env.STORE_URL && runningUrl) return new URL(runningUrl).origin;
  return loadConfig({ STORE_URL: demoVariables.STORE_URL }, env).STORE_URL;
}

/** Why the demo store, with an admin whose password is public, must not be added; undefined if it may. */
export function demoStoreRefusal(env = process.env): string | undefined {
  const { DEMO_STORE, PAYMENT_PROVIDER } = loadConfig(demoVariables, env);
  if (DEMO_STORE === 'false') return 'DEMO_STORE=false';
  return PAYMENT_PROVIDER === 'stripe' ? 'PAYMENT_PROVIDER=stripe takes money' : undefined;
}
