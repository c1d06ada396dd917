import { demoVariables } from '../../dev/seed/demo-variables.js';
import { databaseVariables } from '../../ops/databases/urls.js';
import { readers } from '../../ops/secrets/secret-files.js';
import type { PaymentConfig } from '../../subgraphs/order/config.js';
import { chooseProviders } from '../../subgraphs/order/payment/provider/choose-providers.js';
import { loadConfig, subgraphVariables, type Variables } from '../../subgraphs/shared/config.js';
import { createLogger } from '../../subgraphs/shared/observability/logger.js';
import { createMessageSender } from '../../subgraphs/user/message/create-message-sender.js';
import type { MessageConfig } from '../../subgraphs/user/message/message-sender.js';

const { DATABASE_URL } = subgraphVariables('any', 0);

/** The variables of a container's program: a process, a migration, or a tool. */
export function variablesOf(name: string): Variables {
  if (name.startsWith('migrate')) return { DATABASE_URL };
  if (name === 'seed') return { ...databaseVariables, ...demoVariables };
  return readers[name] ?? databaseVariables;
}

/** The variables that `NAME_FILE` sets and those that `NAME` sets. */
export const namesOf = (environment: Readonly<Record<string, string>>) =>
  Object.keys(environment).map((name) => name.replace(/_FILE$/, ''));

// Set by the image, or with a default that suits it: not to be configured in a deployment.
const ofImage = ['NODE_ENV', 'HOST', 'PORT', 'OPS_PORT', 'SUPERGRAPH_PATH'];
// Deliberately not exposed: limits that belong to the code (docs/adr/0007, 0017), variables for tests and for
// development, and TLS, which a proxy or the Ingress terminates.
const notExposed = [
  'QUERY_DEPTH_MAX',
  'QUERY_ALIASES_MAX',
  'QUERY_DIRECTIVES_MAX',
  'QUERY_TOKENS_MAX',
  'QUERY_COST_MAX',
  'SUBSCRIPTIONS_PER_CONNECTION_MAX',
  'SUBSCRIPTION_BUFFER_MAX',
  'SWEEP_EVERY_MS',
  'STRIPE_API_URL',
  'SALE_BEACON_CHAIN',
  'SALE_BEACON_PUBLIC_KEY',
  'SALE_BEACON_GENESIS',
  'SALE_BEACON_PERIOD_SECONDS',
  'STORE_DEVELOPMENT',
  'STORE_PAYMENT_SANDBOX_URL',
  'TLS_CERT',
  'TLS_KEY',
];

/** Variables of a container that its program does not have. */
export function unknownVariables(name: string, environment: Readonly<Record<string, string>>) {
  const known = variablesOf(name);
  return namesOf(environment).filter((each) => !(each in known) && !(`${each}_FILE` in known));
}

/** Variables of the program that the container should expose, and does not. */
export function missingVariables(name: string, environment: Readonly<Record<string, string>>) {
  const given = new Set([...namesOf(environment), ...Object.keys(environment)]);
  const withheld = [...ofImage, ...notExposed];
  return Object.keys(variablesOf(name)).filter(
    (each) => !given.has(each) && !withheld.includes(each),
  );
}

/**
 * Reads the configuration as the process does in production.
 *
 * @throws ConfigError for an invalid configuration
 */
export function loadAsInProduction(name: string, environment: Readonly<Record<string, string>>) {
  const config = loadConfig(variablesOf(name), { NODE_ENV: 'production', ...environment });
  if (name === 'order') void chooseProviders(config as PaymentConfig).close();
  if (name === 'user') {
    void createMessageSender(
      config as unknown as MessageConfig,
      createLogger('user', 'silent'),
    ).close();
  }
}
