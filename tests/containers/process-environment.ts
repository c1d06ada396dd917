import { databaseVariables } from '../../dev/databases/urls.js';
import { readers } from '../../dev/secrets/secret-files.js';
import type { PaymentConfig } from '../../subgraphs/order/config.js';
import { chooseProvider } from '../../subgraphs/order/payment/choose-provider.js';
import { loadConfig, subgraphVariables, type Variables } from '../../subgraphs/shared/config.js';
import { createLogger } from '../../subgraphs/shared/logger.js';
import { createMessageSender, type MessageConfig } from '../../subgraphs/user/message/message.js';

const { DATABASE_URL } = subgraphVariables('any', 0);

/** What the program of a container reads: a process, a migration, or seed and verify. */
export const variablesOf = (name: string): Variables =>
  readers[name] ?? (name.startsWith('migrate') ? { DATABASE_URL } : databaseVariables);

/** The variables that `NAME_FILE` sets and those that `NAME` sets. */
export const namesOf = (environment: Readonly<Record<string, string>>) =>
  Object.keys(environment).map((name) => name.replace(/_FILE$/, ''));

// These the process may do without, or has another default for in production by itself.
const ofImage = ['NODE_ENV', 'HOST', 'OPS_PORT'];

/** Variables that a container sets and its program does not know. */
export function unknownVariables(name: string, environment: Readonly<Record<string, string>>) {
  const known = variablesOf(name);
  return namesOf(environment).filter((each) => !(each in known) && !(`${each}_FILE` in known));
}

/** Variables that its program cannot do without in production, and the container does not set. */
export function missingVariables(name: string, environment: Readonly<Record<string, string>>) {
  const given = new Set(namesOf(environment));
  return Object.entries(variablesOf(name))
    .filter(([each, { productionDefault }]) => productionDefault === undefined && !given.has(each))
    .map(([each]) => each)
    .filter((each) => !ofImage.includes(each));
}

/**
 * Reads the configuration as the process does in production.
 *
 * @throws ConfigError for what is not usable
 */
export function loadAsInProduction(name: string, environment: Readonly<Record<string, string>>) {
  const config = loadConfig(variablesOf(name), { NODE_ENV: 'production', ...environment });
  if (name === 'order') void chooseProvider(config as PaymentConfig).close();
  if (name === 'user') {
    void createMessageSender(
      config as unknown as MessageConfig,
      createLogger('user', 'silent'),
    ).close();
  }
}
