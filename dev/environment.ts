import type { DatabaseUrls } from '../ops/databases/urls.js';
import type { Secrets } from '../ops/secrets/secrets.js';
import { subgraphNames } from '../ops/subgraph-names.js';

/** The ports of one system, derived from that of the router. */
export function portsFrom(routerPort: number) {
  const opsOffset = 5000;
  const names = ['router', ...subgraphNames] as const;
  const entries = names.map((name, at) => [name, routerPort + at] as const);
  const ports = Object.fromEntries(entries) as Record<(typeof names)[number], number>;
  const ops = Object.fromEntries(
    entries.map(([name, port]) => [name, port + opsOffset]),
  ) as typeof ports;
  return { ports, ops, sandbox: routerPort + 10 };
}
export type Ports = ReturnType<typeof portsFrom>;

export interface SystemOptions {
  readonly databases: DatabaseUrls;
  /** a Redis server; its databases 0 to 4 are used */
  readonly redisUrl: string;
  readonly ports: Ports;
  readonly secrets: Secrets;
}

/** The environment of each process of a system on this machine. */
export function environments({ databases, redisUrl, ports, secrets }: SystemOptions) {
  const at = (port: number) => `http://127.0.0.1:${port}`;
  const graphqlAt = (port: number) => `${at(port)}/graphql`;
  const redis = redisUrl.replace(/\/\d*$/, '');
  const shared = {
    ...secrets.callers,
    JWKS_URL: `${at(ports.ports.user)}/.well-known/jwks.json`,
    USER_URL: graphqlAt(ports.ports.user),
    PRODUCT_URL: graphqlAt(ports.ports.product),
    SHOP_URL: graphqlAt(ports.ports.shop),
    WAREHOUSE_URL: graphqlAt(ports.ports.warehouse),
    ORDER_URL: graphqlAt(ports.ports.order),
    PAYMENT_SANDBOX_URL: at(ports.sandbox),
    EVENTS_REDIS_URL: `${redis}/0`,
    PAYMENT_SANDBOX_WEBHOOK_SECRET: secrets.webhookSecret,
    TIMER_REDIS_URL: `${redis}/1`,
    LOCK_REDIS_URLS: `${redis}/2`,
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
      OTP_REDIS_URL: `${redis}/3`,
    },
    product: subgraph('product'),
    shop: subgraph('shop'),
    warehouse: subgraph('warehouse'),
    order: subgraph('order'),
    router: {
      ...processOf('router'),
      RATE_LIMIT_REDIS_URL: `${redis}/4`,
      ...Object.fromEntries(
        subgraphNames.map((name) => [
          `SUBGRAPH_URL_${name.toUpperCase()}`,
          graphqlAt(ports.ports[name]),
        ]),
      ),
    },
  };
}
