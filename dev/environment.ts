import { randomBytes } from 'node:crypto';
import type { DatabaseUrls } from '../ops/databases/urls.js';
import type { Secrets } from '../ops/secrets/secrets.js';
import { subgraphNames } from '../ops/subgraph-names.js';
import { redisDatabase } from './databases/redis.js';
import { accounts, demoPassword } from './seed/demo-store.js';

/** The ports of one system, derived from that of the router. */
export function portsFrom(routerPort: number) {
  const opsOffset = 5000;
  const names = ['router', ...subgraphNames] as const;
  const entries = names.map((name, at) => [name, routerPort + at] as const);
  const ports = Object.fromEntries(entries) as Record<(typeof names)[number], number>;
  const ops = Object.fromEntries(
    entries.map(([name, port]) => [name, port + opsOffset]),
  ) as typeof ports;
  return { ports, ops, sandbox: routerPort + 10, messages: routerPort + 11, smtp: routerPort + 12 };
}
export type Ports = ReturnType<typeof portsFrom>;

export interface SystemOptions {
  readonly databases: DatabaseUrls;
  /** a Redis server; its databases 0 to 4 are used */
  readonly redisUrl: string;
  readonly ports: Ports;
  readonly secrets: Secrets;
}

/** For tests and benchmarks in which one customer holds more unpaid orders than is allowed. */
export const noHoldLimits = { OPEN_ORDERS_MAX: '1000000', OPEN_UNITS_PER_OFFER_MAX: '1000000' };

const at = (port: number) => `http://127.0.0.1:${port}`;

/** The environment of each process of a system on this machine. */
export function environments({ databases, redisUrl, ports, secrets }: SystemOptions) {
  const graphqlAt = (port: number) => `${at(port)}/graphql`;
  const redisAt = (database: number) => redisDatabase(redisUrl, database);
  const shared = {
    ...secrets.callers,
    JWKS_URL: `${at(ports.ports.user)}/.well-known/jwks.json`,
    USER_URL: graphqlAt(ports.ports.user),
    PRODUCT_URL: graphqlAt(ports.ports.product),
    SHOP_URL: graphqlAt(ports.ports.shop),
    WAREHOUSE_URL: graphqlAt(ports.ports.warehouse),
    ORDER_URL: graphqlAt(ports.ports.order),
    PAYMENT_SANDBOX_URL: at(ports.sandbox),
    EVENTS_REDIS_URL: redisAt(0),
    PAYMENT_SANDBOX_WEBHOOK_SECRET: secrets.webhookSecret,
    TIMER_REDIS_URL: redisAt(1),
    LOCK_REDIS_URLS: redisAt(2),
  };
  const processOf = (name: keyof Ports['ports']) => ({
    ...shared,
    PORT: String(ports.ports[name]),
    OPS_PORT: String(ports.ops[name]),
  });
  const subgraph = (name: (typeof subgraphNames)[number]) => ({
    ...processOf(name),
    DATABASE_URL: databases[name],
  });
  return {
    sandbox: {
      PORT: String(ports.sandbox),
      PAYMENT_SANDBOX_WEBHOOK_URL: `${at(ports.ports.router)}/webhooks/payments/sandbox`,
      PAYMENT_SANDBOX_WEBHOOK_SECRET: secrets.webhookSecret,
    },
    user: {
      ...subgraph('user'),
      AUTH_SIGNING_KEYS: secrets.signingKeys,
      OTP_SECRET: secrets.otpSecret,
      OTP_REDIS_URL: redisAt(3),
    },
    product: subgraph('product'),
    shop: subgraph('shop'),
    warehouse: subgraph('warehouse'),
    order: {
      ...subgraph('order'),
      SALE_HASH_SECRET: secrets.saleHashSecret,
      SALE_RECEIPT_KEYS: secrets.receiptKeys,
    },
    router: {
      ...processOf('router'),
      RATE_LIMIT_REDIS_URL: redisAt(4),
      STORE_PAYMENT_SANDBOX_URL: `http://localhost:${ports.sandbox}`,
      ...Object.fromEntries(
        subgraphNames.map((name) => [
          `SUBGRAPH_URL_${name.toUpperCase()}`,
          graphqlAt(ports.ports[name]),
        ]),
      ),
    },
  };
}

/**
 * The environments of `npm start`: messages are sent to the process that shows them, and the store can refer
 * to it and to the demo accounts.
 *
 * @param given the environment of `npm start`, whose gateway, mail server and settings of the store are preferred
 */
export function developmentEnvironments(options: SystemOptions, given = process.env) {
  const { ports } = options;
  const system = environments(options);
  const { STORE_PAYMENT_SANDBOX_URL: _, ...routerWithoutSandbox } = system.router;
  const isGiven = (name: string) => Boolean(given[name] || given[`${name}_FILE`]);
  const account = {
    SMS_ACCOUNT_SID: `AC${randomBytes(16).toString('hex')}`,
    SMS_AUTH_TOKEN: randomBytes(24).toString('base64url'),
  };
  const gateway = { SMS_GATEWAY_URL: at(ports.messages), ...account };
  const mailServer = { SMTP_URL: `smtp://127.0.0.1:${ports.smtp}` };
  const store = { STORE_DEVELOPMENT: JSON.stringify(storeDevelopment(ports)) };
  return {
    ...system,
    user: {
      ...system.user,
      // The account belongs to the gateway: that of another one is not used for this one.
      ...(!isGiven('SMS_GATEWAY_URL') && gateway),
      ...(!isGiven('SMTP_URL') && mailServer),
    },
    router: {
      ...(isGiven('STORE_PAYMENT_SANDBOX_URL') ? routerWithoutSandbox : system.router),
      ...(!isGiven('STORE_DEVELOPMENT') && store),
    },
    messages: { ...account, PORT: String(ports.messages), SMTP_PORT: String(ports.smtp) },
  };
}

/** What the store shows in development only. */
const storeDevelopment = (ports: Ports) => ({
  messagesUrl: `http://localhost:${ports.messages}`,
  accounts: accounts.map(({ name, role, email }) => {
    return { name, role, identifier: email, password: demoPassword };
  }),
});
