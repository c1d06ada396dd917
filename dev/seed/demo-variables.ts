import { z } from 'zod';
import { variables as orderVariables } from '../../subgraphs/order/config.js';
import { loadConfig, setting } from '../../subgraphs/shared/config.js';

/** Variables of `npm run seed -- --demo`. */
export const demoVariables = {
  DEMO_STORE: setting(
    z.enum(['true', 'false']),
    'true',
    'true or false: whether Compose adds the demo store, whose accounts have a public password',
  ),
  PAYMENT_PROVIDER: orderVariables.PAYMENT_PROVIDER,
};

/** Why the demo store, with an admin whose password is public, must not be added; undefined if it may. */
export function demoStoreRefusal(env = process.env): string | undefined {
  const { DEMO_STORE, PAYMENT_PROVIDER } = loadConfig(demoVariables, env);
  if (DEMO_STORE === 'false') return 'DEMO_STORE=false';
  return PAYMENT_PROVIDER === 'stripe' ? 'PAYMENT_PROVIDER=stripe takes money' : undefined;
}
