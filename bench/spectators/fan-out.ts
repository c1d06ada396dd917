import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import WebSocket from 'ws';
import { demoPassword } from '../../dev/seed/demo-store.js';
import { seedId } from '../../dev/seed/ids.js';
import { type CaseResult, percentile, rounded } from '../report.js';
import type { GraphQLClient } from '../router/operations.js';

const subscribers = 1000;
const warmUpChanges = 5;
const changes = 20;
// Changes that follow sooner are held back, to be sent together.
const pauseMs = 250;
const sku = 'TRAIL-40';
// The first shop of the demo store, which is Vera's.
const shopId = seedId('shop', 0);
const warehouseId = seedId('warehouse', 0);
const watch = `subscription { stockChanged(skus: ["${sku}"]) {
  available version variant { sku name } shop { id name } } }`;

/** Measures the time from sending a stock change, one at a time, until each of 1,000 WebSockets has received it. */
export async function measureFanOut(routerUrl: string, router: GraphQLClient): Promise<CaseResult> {
  const token = await logIn(router);
  const all = Array.from({ length: subscribers }, () => subscriber(routerUrl));
  await Promise.all(all.map((each) => each.isAt(1)));
  const latenciesMs: number[] = [];
  for (let change = -warmUpChanges; change < changes; change++) {
    const next = Math.max(...all.map((each) => each.version())) + 1;
    const sentMs = performance.now();
    const arriving = all.map(async (each) => {
      await each.isAt(next);
      if (change >= 0) latenciesMs.push(performance.now() - sentMs);
    });
    await receive(router, token);
    await Promise.all(arriving);
    await sleep(pauseMs);
  }
  for (const each of all) each.close();
  return {
    case: `one change to ${subscribers} subscribers`,
    p50Ms: rounded(percentile(latenciesMs, 0.5)),
    p99Ms: rounded(percentile(latenciesMs, 0.99)),
  };
}

/**
 * One WebSocket with one subscription, and the latest version of the stock that it received. It reads no more of a
 * message than it has to, as the subscribers share the machine's cores with the router.
 */
function subscriber(routerUrl: string) {
  const socket = new WebSocket(routerUrl.replace(/^http/, 'ws'), 'graphql-transport-ws');
  let version = 0;
  let waiting: { version: number; resolve(): void } | undefined;
  const resolveIfReached = () => {
    if (!waiting || version < waiting.version) return;
    waiting.resolve();
    waiting = undefined;
  };
  socket.on('error', (error) => process.stderr.write(`subscriber: ${error.message}\n`));
  socket.on('open', () => socket.send('{"type":"connection_init"}'));
  socket.on('message', (message) => {
    const text = String(message);
    if (text.includes('"type":"next"')) {
      if (text.includes('"errors":[')) throw new Error(text);
      if (!text.includes(shopId)) return;
      version = Number(/"version":(\d+)/.exec(text)?.[1]);
      resolveIfReached();
    } else if (text.includes('"type":"connection_ack"')) {
      socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: watch } }));
    } else if (text.includes('"type":"ping"')) socket.send('{"type":"pong"}');
    else process.stderr.write(`subscriber lost: ${text}\n`);
  });
  return {
    version: () => version,
    isAt: (wanted: number) =>
      new Promise<void>((resolve) => {
        waiting = { version: wanted, resolve };
        resolveIfReached();
      }),
    close: () => socket.close(),
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
