import { environments, noHoldLimits, portsFrom } from '../../dev/environment.js';
import { startPaymentSandbox } from '../../dev/payment-sandbox/index.js';
import { makeSecrets } from '../../ops/secrets/secrets.js';
import { root } from '../../ops/subgraph-names.js';
import { openReaders } from '../../ops/verify/readers.js';
import { atRest, verifyWith } from '../../ops/verify/verify.js';
import { startRouter } from '../../router/index.js';
import { startOrder } from '../../subgraphs/order/index.js';
import { startProduct } from '../../subgraphs/product/index.js';
import { requestTrace } from '../../subgraphs/shared/observability/request-context.js';
import type { Service } from '../../subgraphs/shared/runtime/process.js';
import { startShop } from '../../subgraphs/shop/index.js';
import { startUser } from '../../subgraphs/user/index.js';
import { startWarehouse } from '../../subgraphs/warehouse/index.js';
import { createStoreDatabases, freePortRange, startTestRedis } from './databases.js';
import { expectHolding } from './expect-holding.js';
import { startMessageServers } from './messages.js';
import { ended } from './wait.js';

export interface GraphQLReply {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects
  readonly data: any;
  readonly errors?: ReadonlyArray<{
    message: string;
    path?: (string | number)[];
    extensions: { code: string; fields?: Record<string, string> } & Record<string, unknown>;
  }>;
}

const starters = {
  sandbox: startPaymentSandbox,
  user: startUser,
  product: startProduct,
  shop: startShop,
  warehouse: startWarehouse,
  order: startOrder,
  router: startRouter,
};

/**
 * A system that runs elsewhere, at `HOLDFAST_URL`: the journeys run through its router, without access to
 * its databases, Redis and processes. Run `npm run verify` on it afterwards.
 */
function systemAt(url: string) {
  return {
    url,
    graphql: (query: string, variables: object = {}, token?: string) =>
      postGraphQL(url, query, variables, token),
    async stop() {},
    async expectInvariants() {},
  };
}

/** The system of a test: a new one in this process, or the one at `HOLDFAST_URL`. */
export async function startSystem(overrides: Record<string, string> = {}): Promise<TestSystem> {
  const elsewhere = process.env.HOLDFAST_URL;
  return elsewhere ? (systemAt(elsewhere) as TestSystem) : startOwnSystem(overrides);
}

/**
 * The whole system of `npm start`, with the demo store, in this process, on its own ports, databases and
 * Redis.
 */
async function startOwnSystem(overrides: Record<string, string>) {
  const ports = portsFrom(await freePortRange());
  const [databases, redis, secrets, messages] = await Promise.all([
    createStoreDatabases(`http://127.0.0.1:${ports.ports.router}`),
    startTestRedis(),
    makeSecrets(),
    startMessageServers(),
  ]);
  const envs = environments({ databases: databases.urls, redisUrl: redis.url, ports, secrets });
  const base = {
    NODE_ENV: 'test',
    LOG_LEVEL: 'silent',
    RATE_LIMIT_PROFILE: 'bench',
    SUPERGRAPH_PATH: `${root}/schema/supergraph.graphql`,
    PAYMENT_TIMEOUT_SECONDS: '4',
    ...noHoldLimits,
    ...messages.env,
    ...overrides,
  };
  const running = new Map<string, Service>();
  const start = async (name: keyof typeof starters, settings: Record<string, string> = {}) => {
    running.set(name, await starters[name]({ ...base, ...envs[name], ...settings }));
  };
  await Promise.all(Object.keys(starters).map((name) => start(name as keyof typeof starters)));
  const url = `http://127.0.0.1:${ports.ports.router}/graphql`;
  // One after the other: a connection costs more than the checks of a small store.
  const readers = openReaders(databases.urls, 1);

  return {
    url,
    ports,
    secrets,
    redis,
    messages,
    databases: databases.urls,
    /** The environment of a part, to start another instance of it. */
    envOf: (name: keyof typeof starters) => ({ ...base, ...envs[name] }) as Record<string, string>,
    start,
    async stopProcess(name: keyof typeof starters) {
      await running.get(name)?.stop();
      running.delete(name);
    },
    graphql: (query: string, variables: object = {}, token?: string) =>
      postGraphQL(url, query, variables, token),
    async stop() {
      await Promise.all([...running].map(([name, service]) => ended(name, service.stop())));
      await readers.end();
      await Promise.all([
        ended('dropping the databases', databases.drop()),
        ended('Redis', redis.stop()),
        ended('the message servers', messages.stop()),
      ]);
    },
    /** Fails with the offending rows if an invariant of the domain does not hold. */
    async expectInvariants() {
      expectHolding(await verifyWith(readers, atRest));
    },
  };
}
export type TestSystem = Awaited<ReturnType<typeof startOwnSystem>>;

export async function postGraphQL(
  url: string,
  query: string,
  variables: object = {},
  token?: string,
  headers: Record<string, string> = {},
): Promise<GraphQLReply> {
  const requestId = requestTrace.getStore()?.requestId;
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token && { authorization: `Bearer ${token}` }),
      ...(requestId && { 'x-request-id': requestId }),
      ...headers,
    },
    body: JSON.stringify({ query, variables }),
  });
  const body = (await response.json()) as Omit<GraphQLReply, 'status' | 'headers'>;
  return { ...body, status: response.status, headers: response.headers };
}
