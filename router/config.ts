import { createSecureContext } from 'node:tls';
import { z } from 'zod';
import {
  address,
  type Config,
  ConfigError,
  count,
  paymentProviderVariables,
  processVariables,
  requiredInProduction,
  secretOf,
  setting,
  text,
  tokenVariables,
  type Variable,
} from '../subgraphs/shared/config.js';
import { parseTrustProxy, type TrustProxy } from './http/client-address.js';
import { rateLimitProfiles } from './limits/rate-limits.js';
import { storeDevelopment, webAddress } from './store/development.js';

const urlOf = (name: string): Variable<string> =>
  setting(
    z.union([z.literal(''), address]),
    '',
    `the address of the ${name} subgraph, if it differs from the one in the supergraph`,
  );

const isOrigin = (origin: string) => URL.canParse(origin) && new URL(origin).origin === origin;
const origins = z
  .string()
  .transform((list) => list.split(',').map((each) => each.trim()))
  .transform((list) => list.filter(Boolean))
  .refine((list) => list.every(isOrigin), 'not a list of origins');

const trustProxy: z.ZodType<TrustProxy> = z.string().transform((list, context) => {
  try {
    return parseTrustProxy(list);
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message });
    return z.NEVER;
  }
});

const profileNames = Object.keys(rateLimitProfiles) as (keyof typeof rateLimitProfiles)[];

const limits = {
  QUERY_DEPTH_MAX: setting(
    count,
    '10',
    'maximum depth of the fields and input values of an operation',
  ),
  QUERY_ALIASES_MAX: setting(count, '15', 'maximum number of aliases in an operation'),
  QUERY_DIRECTIVES_MAX: setting(count, '8', 'maximum number of directives in an operation'),
  QUERY_TOKENS_MAX: setting(count, '1000', 'maximum number of tokens in a document'),
  QUERY_COST_MAX: setting(
    count,
    '250000',
    'maximum cost of an operation: the values that its answer may have',
  ),
  SUBSCRIPTIONS_PER_CONNECTION_MAX: setting(
    count,
    '100',
    'maximum number of open operations on one WebSocket',
  ),
  SUBSCRIPTIONS_PER_CLIENT_MAX: setting(
    count,
    '1000',
    'maximum number of open subscriptions, and of WebSockets, for a user, or for an address without a user',
  ),
  SUBSCRIPTIONS_MAX: setting(count, '20000', 'maximum number of open subscriptions of a router'),
  SUBSCRIPTION_ITEMS_PER_CLIENT_MAX: setting(
    count,
    '50000',
    'maximum number of items that the open subscriptions of an address, and of a user, watch together',
  ),
  SUBSCRIPTION_BUFFER_MAX: setting(
    count,
    '10000',
    'maximum number of entities with events that a subscriber has not read yet',
  ),
  RATE_LIMIT_PROFILE: setting(
    z.enum(profileNames),
    'standard',
    'standard, or bench for benchmarks and demonstrations: almost no limits',
  ),
  RATE_LIMIT_REDIS_URL: requiredInProduction(
    address,
    'redis://127.0.0.1:63799/4',
    'the Redis that counts requests for rate limits',
  ),
  EVENTS_REDIS_URL: setting(
    z.union([z.literal(''), address]),
    '',
    'the Redis of messages that sessions have ended, the same as that of user',
  ),
};

const web = {
  INTROSPECTION: {
    about: 'true or false: whether clients may read the schema, and get suggestions',
    type: z.enum(['true', 'false']).transform((answer) => answer === 'true'),
    developmentDefault: 'true',
    productionDefault: 'false',
  } satisfies Variable<boolean>,
  CORS_ORIGINS: setting(
    origins,
    '',
    'origins whose pages may call the API, such as https://shop.example, separated by commas',
  ),
  TRUST_PROXY: setting(
    trustProxy,
    '',
    'proxies whose X-Forwarded-For is trusted: addresses, networks, loopback, uniquelocal',
  ),
  TLS_CERT: setting(z.string(), '', 'the certificate to serve HTTPS with, as PEM; with TLS_KEY'),
  TLS_KEY: setting(z.string(), '', 'the key of the certificate, as PEM'),
};

const store = {
  ...paymentProviderVariables,
  STORE_PAYMENT_SANDBOX_URL: setting(
    z.union([z.literal(''), webAddress]),
    '',
    'the address of the payment sandbox as browsers reach it; the store shows it with PAYMENT_PROVIDER=sandbox',
  ),
  STORE_DEVELOPMENT: setting(
    storeDevelopment,
    '',
    'JSON of what the store shows in development beyond the API: messagesUrl and accounts; refused in production',
  ),
};

export const variables = {
  ...processVariables(4000),
  ...secretOf('router'),
  ...tokenVariables,
  SUPERGRAPH_PATH: setting(text, 'schema/supergraph.graphql', 'the composed supergraph'),
  SUBGRAPH_URL_USER: urlOf('user'),
  SUBGRAPH_URL_PRODUCT: urlOf('product'),
  SUBGRAPH_URL_SHOP: urlOf('shop'),
  SUBGRAPH_URL_WAREHOUSE: urlOf('warehouse'),
  SUBGRAPH_URL_ORDER: urlOf('order'),
  SUBGRAPH_TIMEOUT_MS: setting(
    count,
    '20000',
    'timeout of one request to a subgraph, in ms; longer than a checkout may wait for its stock',
  ),
  OPERATION_TIMEOUT_MS: setting(count, '25000', 'timeout of a whole operation, in ms'),
  OPERATIONS_MAX: setting(
    count,
    '128',
    'queries that run at the same time, and connections for them to each subgraph; as many payments, ¾ as many mutations',
  ),
  ...limits,
  ...web,
  ...store,
};
export type RouterConfig = Config<typeof variables>;

/**
 * Certificate and key for HTTPS; null for plain HTTP.
 *
 * @throws ConfigError for a certificate without a key, or one that does not match its key
 */
export function tlsOf({
  TLS_CERT: cert,
  TLS_KEY: key,
}: Pick<RouterConfig, 'TLS_CERT' | 'TLS_KEY'>) {
  if (!cert && !key) return null;
  if (!cert) throw new ConfigError(['TLS_CERT is missing: TLS_KEY needs it']);
  if (!key) throw new ConfigError(['TLS_KEY is missing: TLS_CERT needs it']);
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    const reason = (error as Error).message;
    throw new ConfigError([`TLS_CERT and TLS_KEY are not a certificate and its key (${reason})`]);
  }
  return { cert, key };
}
