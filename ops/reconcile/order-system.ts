import { z } from 'zod';
import { variables } from '../../subgraphs/order/config.js';
import { chooseProviders } from '../../subgraphs/order/payment/provider/choose-providers.js';
import type { PaymentProviders } from '../../subgraphs/order/payment/provider/providers.js';
import { address, loadConfig, requiredInProduction } from '../../subgraphs/shared/config.js';
import { readRunningSystem, stateFolder } from '../running-system.js';

const { NODE_ENV, PAYMENT_PROVIDER, PAYMENT_TIMEOUT_SECONDS } = variables;
const { PAYMENT_PROVIDER_NAME, PAYMENT_FORMER_PROVIDERS } = variables;
const { PAYMENT_SANDBOX_URL, PAYMENT_SANDBOX_WEBHOOK_SECRET } = variables;
const { STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET, STRIPE_API_URL } = variables;

/** The variables of the order subgraph for its database and its payment providers. */
const reconcileVariables = {
  DATABASE_URL: requiredInProduction(
    z.union([z.literal(''), address]),
    '',
    'the database of the order subgraph; in development by default that of npm start',
  ),
  ...{ NODE_ENV, PAYMENT_PROVIDER, PAYMENT_TIMEOUT_SECONDS },
  ...{ PAYMENT_PROVIDER_NAME, PAYMENT_FORMER_PROVIDERS },
  ...{ PAYMENT_SANDBOX_URL, PAYMENT_SANDBOX_WEBHOOK_SECRET },
  ...{ STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET, STRIPE_API_URL },
};

export interface OrderSystem {
  readonly databaseUrl: string;
  readonly providers: PaymentProviders;
}

/**
 * The database in `DATABASE_URL` with the providers in the environment, as the order subgraph reads them; or those
 * that `npm start` runs.
 *
 * @throws ConfigError; an error if there is no running system
 */
export function orderSystemToUse(env = process.env): OrderSystem {
  const config = loadConfig(reconcileVariables, env);
  if (config.DATABASE_URL) {
    return { databaseUrl: config.DATABASE_URL, providers: chooseProviders(config) };
  }
  const running = readRunningSystem(stateFolder());
  if (!running?.databases.order) {
    throw new Error('No running system found. Start it with npm start, or set DATABASE_URL.');
  }
  const sandboxUrl = env.PAYMENT_SANDBOX_URL || sandboxOf(running.graphqlUrl);
  const providers = chooseProviders({ ...config, PAYMENT_SANDBOX_URL: sandboxUrl });
  return { databaseUrl: running.databases.order, providers };
}

// As `npm start` numbers its ports, from that of the router.
const sandboxPortOffset = 10;

function sandboxOf(graphqlUrl: string): string {
  const { port, protocol } = new URL(graphqlUrl);
  const routerPort = Number(port || (protocol === 'https:' ? 443 : 80));
  return `http://127.0.0.1:${routerPort + sandboxPortOffset}`;
}
