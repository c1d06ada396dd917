import { randomUUID } from 'node:crypto';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { demoPassword } from '../../dev/seed/demo-store.js';
import { seedId } from '../../dev/seed/ids.js';
import { type CaseResult, percentile, rounded } from '../report.js';
import type { GraphQLClient } from '../router/operations.js';

const subscribers = 1000;
const changes = 20;
const sku = 'TRAIL-40';
// The first shop of the demo store, which is Vera's.
const shopId = seedId('shop', 0);
const warehouseId = seedId('warehouse', 0);
const watch = `subscription { stockChanged(skus: ["${sku}"]) {
  available version variant { sku name } shop { id name } } }`;

interface Change {
  readonly stockChanged: { readonly version: number; readonly shop: { readonly id: string } };
}

/** Measures the time from sending a stock change until each of 1,000 WebSockets has received it. */
export async function measureFanOut(routerUrl: string, router: GraphQLClient): Promise<CaseResult> {
  const token = await logIn(router);
  const all = Array.from({ length: subscribers }, () => subscriber(routerUrl));
  await Promise.all(all.map((each) => each.isAt(1)));
  const latenciesMs: number[] = [];
  for (let change = 0; change < changes; change++) {
    const next = Math.max(...all.map((each) => each.version())) + 1;
    const sentMs = performance.now();
    const arriving = all.map(async (each) => {
      await each.isAt(next);
      latenciesMs.push(performance.now() - sentMs);
    });
    await receive(router, token);
    await Promise.all(arriving);
  }
  await Promise.all(all.map((each) => each.close()));
  return {
    case: `one change to ${subscribers} subscribers`,
    p50Ms: rounded(percentile(latenciesMs, 0.5)),
    p99Ms: rounded(percentile(latenciesMs, 0.99)),
  };
}

/** One WebSocket with one subscription, and the latest version of the stock that it received. */
function subscriber(routerUrl: string) {
  const url = routerUrl.replace(/^http/, 'ws');
  const client = createClient({ url, webSocketImpl: WebSocket, retryAttempts: 0 });
  let version = 0;
  let waiting: { version: number; resolve(): void } | undefined;
  const resolveIfReached = () => {
    if (!waiting || version < waiting.version) return;
    waiting.resolve();
    waiting = undefined;
  };
  client.subscribe<Change>(
    { query: watch },
    {
      next({ data, errors }) {
        if (errors) throw new Error(JSON.stringify(errors));
        if (data?.stockChanged.shop.id !== shopId) return;
        version = data.stockChanged.version;
        resolveIfReached();
      },
      error: (reason) => process.stderr.write(`subscriber lost: ${String(reason)}\n`),
      complete: () => {},
    },
  );
  return {
    version: () => version,
    isAt: (wanted: number) =>
      new Promise<void>((resolve) => {
        waiting = { version: wanted, resolve };
        resolveIfReached();
      }),
    close: () => client.dispose(),
  };
}

// biome-ignore lint/suspicious/noExplicitAny: answers to operations of our own
const dataOf = (reply: { data?: unknown }) => reply.data as any;

async function logIn(router: GraphQLClient): Promise<string> {
  const query = `mutation ($input: LoginInput!) {
    login(input: $input) { ... on Session { accessToken } } }`;
  const input = { identifier: 'vera@example.com', password: demoPassword };
  return dataOf(await router.send(query, { input })).login.accessToken;
}

async function receive(router: GraphQLClient, token: string): Promise<void> {
  const query = `mutation ($input: ReceiveStockInput!) { receiveStock(input: $input) { onHand } }`;
  const input = { warehouseId, sku, quantity: 1, idempotencyKey: randomUUID() };
  await router.sendKeyed(query, { input }, token);
}
