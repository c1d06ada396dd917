import { z } from 'zod';
import { variables as orderVariables } from '../../subgraphs/order/config.js';
import { loadConfig, setting } from '../../subgraphs/shared/config.js';

/** What `npm run seed -- --demo` reads. */
export const demoVariables = {
  DEMO_STORE: setting(
    z.enum(['true', 'false']),
    'true',
    'true or false: whether Compose puts the demo store in, whose accounts have a public password',
  ),
  PAYMENT_PROVIDER: orderVariables.PAYMENT_PROVIDER,
};

/** Why there is to be no demo store: an admin whose password everybody knows; undefined if there may be one. */
export function whyNoDemoStore(env = process.env): string | undefined {
  const { DEMO_STORE, PAYMENT_PROVIDER } = loadConfig(demoVariables, env);
  if (DEMO_STORE === 'false') return 'DEMO_STORE=false';
  return PAYMENT_PROVIDER === 'stripe' ? 'PAYMENT_PROVIDER=stripe takes money' : undefined;
}
