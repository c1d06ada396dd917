import { z } from 'zod';
import {
  address,
  addresses,
  type Config,
  challengeVariables,
  count,
  feedVariables,
  paymentProviderVariables,
  requiredInProduction,
  secretOf,
  secretText,
  setting,
  subgraphVariables,
  text,
  tokenVariables,
  type Variable,
} from '../shared/config.js';
import { quicknet } from './sale-queue/beacon/beacon-chain.js';

/** Public, as it is part of the source: production refuses it. */
export const sandboxSecretOfDevelopment = 'development-secret-of-sandbox';

/** The name of a provider, which is in the path of its webhooks and stored with each payment. */
export const providerName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,49}$/, 'lower-case letters, digits and hyphens, 50 at most');

const payments = {
  ...paymentProviderVariables,
  PAYMENT_PROVIDER_NAME: setting(
    z.union([z.literal(''), providerName]),
    '',
    'the name of this provider or account, stored with each of its payments; empty: the value of `PAYMENT_PROVIDER`',
  ),
  PAYMENT_FORMER_PROVIDERS: setting(
    z.string(),
    '[]',
    'JSON: a list of the providers that get no new payments, and end those that they began',
  ),
  PAYMENT_TIMEOUT_SECONDS: setting(
    z.coerce.number().min(0.1).max(60),
    '8',
    'the time in seconds within which the payment provider has to answer; an order whose reservation expires sooner cannot be paid; at most half of `RESERVATION_MINUTES`',
  ),
  PAYMENT_SANDBOX_URL: setting(
    address,
    'http://127.0.0.1:4010',
    'the address of the payment sandbox',
  ),
  PAYMENT_SANDBOX_WEBHOOK_SECRET: {
    about: 'the secret with which the sandbox signs its webhooks, 16 characters or more',
    type: z.string(),
    developmentDefault: sandboxSecretOfDevelopment,
    productionDefault: '',
  } satisfies Variable<string>,
  STRIPE_SECRET_KEY: setting(z.string(), '', 'stripe: the secret key of the account'),
  STRIPE_WEBHOOK_SECRET: setting(z.string(), '', 'stripe: the signing secret of the webhook'),
  STRIPE_API_URL: setting(
    z.union([z.literal(''), address]),
    '',
    'stripe: the address of its API, if not Stripe’s own; for tests',
  ),
};

/** The public randomness of draws; the defaults are the chain `quicknet` of drand. */
export const beaconVariables = {
  SALE_BEACON_URLS: setting(
    addresses,
    '',
    'servers of drand, separated by commas; empty: draws have no beacon',
  ),
  SALE_BEACON_CHAIN: setting(z.string(), quicknet.hash, 'the hash of its chain, in hex'),
  SALE_BEACON_PUBLIC_KEY: setting(
    z.string(),
    quicknet.publicKey,
    'the public key of that chain, in hex',
  ),
  SALE_BEACON_GENESIS: setting(
    z.coerce.number().int().min(0),
    String(quicknet.genesisS),
    'when its first round was due, in seconds since 1970',
  ),
  SALE_BEACON_PERIOD_SECONDS: setting(
    count,
    String(quicknet.periodS),
    'the time between its rounds, in seconds',
  ),
};

export const variables = {
  ...subgraphVariables('order', 4005),
  ...secretOf('order'),
  ...secretOf('warehouse'),
  ...tokenVariables,
  ...feedVariables,
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
    'the Redis that publishes changes of orders; it stores nothing',
  ),
  ...payments,
  PAYMENT_REQUESTS_PER_SECOND: {
    about:
      'the reads, and the writes, that this process sends to the payment provider in a second; 0 for no limit; divide the limit of the account by the number of processes of order',
    type: z.coerce.number().min(0).max(100_000),
    developmentDefault: '0',
    productionDefault: '50',
  } satisfies Variable<number>,
  ORDER_HISTORY_MONTHS: setting(
    z.coerce.number().int().min(1).max(1200),
    '120',
    'whole months for which entries stay in the history of orders; older ones are detached',
  ),
  RESERVATION_MINUTES: setting(
    z.coerce.number().min(0.001).max(10_080),
    '15',
    'the time in minutes for which the stock of an unpaid order is reserved; fractions are allowed',
  ),
  OPEN_ORDERS_MAX: setting(
    z.coerce.number().int().min(1).max(1_000_000),
    '3',
    'unpaid orders that one customer may have open at a time',
  ),
  OPEN_UNITS_PER_OFFER_MAX: setting(
    z.coerce.number().int().min(1).max(1_000_000),
    '20',
    'units of one offer in the unpaid orders of one customer; a shop may allow more of an offer',
  ),
  SALE_BUYERS_PER_ADDRESS_MAX: setting(
    z.coerce.number().int().min(1).max(1_000_000),
    '3',
    'customers for whom the limit of a sale for each customer is allowed at one delivery address',
  ),
  SALE_HASH_SECRET: requiredInProduction(
    secretText,
    'development-secret-of-sales',
    'the HMAC key under which sales store phone numbers and addresses, 16 characters or more',
  ),
  SALE_RECEIPT_KEYS: requiredInProduction(
    text,
    'generate',
    'private Ed25519 keys that sign receipts of tickets, as a JSON Web Key Set, newest first; `generate` creates one at start',
  ),
  ...beaconVariables,
  ...challengeVariables,
};

export type PaymentConfig = Pick<Config<typeof variables>, 'NODE_ENV' | keyof typeof payments>;
