import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../ops/subgraph-names.js';
import { serveVerdicts } from '../ops/verify/serve-verdicts.js';
import { nameOperations } from '../router/gateway/router-metrics.js';
import { overWebSocket } from './harness/live.js';
import { checkout, openShop, registerPerson } from './harness/people.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { eventually } from './harness/wait.js';

const namesIn = (metrics: string) =>
  [...metrics.matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1] as string);
const isOfNode = (name: string) => /^(nodejs|process)_/.test(name);
const textAt = async (url: string) => (await fetch(url)).text();

describe('the metrics of the processes', () => {
  let system: TestSystem;
  beforeAll(async () => {
    system = await startSystem();
  });
  afterAll(() => system.stop());

  const metricsOf = (name: keyof TestSystem['ports']['ops']) =>
    textAt(`http://127.0.0.1:${system.ports.ops[name]}/metrics`);
  const readingOf = (metrics: string, name: string, labels: Record<string, string>) => {
    const wanted = Object.entries(labels).map(([key, value]) => `${key}="${value}"`);
    const line = metrics
      .split('\n')
      .find((each) => each.startsWith(`${name}{`) && wanted.every((label) => each.includes(label)));
    return line === undefined ? 0 : Number(line.split(' ').at(-1));
  };

  it('are exactly those in docs/operations/metrics.md', async () => {
    const names = Object.keys(system.ports.ops) as (keyof TestSystem['ports']['ops'])[];
    const verdicts = await serveVerdicts(system.databases, '127.0.0.1', 0);
    await verdicts.first;
    const ofVerify = await textAt(verdicts.url);
    await verdicts.stop();
    const exposed = [ofVerify, ...(await Promise.all(names.map(metricsOf)))].flatMap(namesIn);
    const document = readFileSync(join(root, 'docs/operations/metrics.md'), 'utf8');
    const rows = document.split('\n').filter((line) => line.startsWith('| `'));
    const first = rows.map((row) => row.split('|')[1] as string);
    const listed = first.flatMap((cell) => [...cell.matchAll(/`(\S+)`/g)].map(([, name]) => name));
    const nodes = listed.filter((name) => isOfNode(name as string));
    expect(exposed).toEqual(expect.arrayContaining(nodes));
    const own = [...new Set(exposed)].filter((name) => !isOfNode(name));
    expect(own.sort()).toEqual(listed.filter((name) => !nodes.includes(name)).sort());
    expect(ofVerify).toMatch(/^holdfast_invariant_violations\{.*\} 0$/m);
  });

  it('count checkouts by result, including refusals and errors', async () => {
    const vendor = await registerPerson(system, 'VENDOR');
    const customer = await registerPerson(system);
    const { offerId } = await openShop(system, vendor, [5]);
    await checkout(system, customer, [{ offerId, quantity: 2 }]);
    await checkout(system, customer, [{ offerId, quantity: 4 }]);
    await system.graphql(
      `mutation Named { again: checkout(input: { idempotencyKey: "short", items: [], shippingAddress:
         { recipient: "r", street: "s", city: "c", zip: "z", country: "US" } }) { __typename } }`,
      {},
      customer.token,
    );
    const order = await metricsOf('order');
    const results = (result: string) =>
      readingOf(order, 'holdfast_mutation_results_total', { mutation: 'checkout', result });
    expect([results('CheckoutSuccess'), results('InsufficientStock')]).toEqual([1, 1]);
    expect(results('BAD_USER_INPUT')).toBe(1);
    const router = await metricsOf('router');
    const named = { operation: 'Named', code: 'BAD_USER_INPUT' };
    expect(readingOf(router, 'holdfast_graphql_errors_total', named)).toBe(1);
  });

  it('count what the router refuses before parsing, and over WebSockets', async () => {
    const counted = async () => {
      const router = await metricsOf('router');
      return [
        { operation: 'invalid', code: 'UNAUTHENTICATED' },
        { operation: 'invalid', code: 'BAD_REQUEST' },
        { operation: 'subscription', code: 'UNAUTHENTICATED' },
      ].map((labels) => readingOf(router, 'holdfast_graphql_errors_total', labels));
    };
    const before = await counted();
    await system.graphql('{ serverTime }', {}, 'x.y.z');
    const headers = { 'content-type': 'application/json' };
    await fetch(system.url, { method: 'POST', headers, body: '{' });
    const client = overWebSocket(system.url, 'x.y.z');
    const watch = client.subscribe('{ serverTime }');
    await eventually(async () => watch.ended(), Boolean);
    client.close();
    expect(await counted()).toEqual(before.map((count) => count + 1));
  });

  it('count the connections of a pool', async () => {
    const metrics = await metricsOf('order');
    const [used = 0, idle = 0] = ['used', 'idle'].map((state) =>
      readingOf(metrics, 'holdfast_database_connections', { state }),
    );
    expect(used + idle).toBeGreaterThan(0);
  });

  it('of the router show operations, requests to subgraphs, and hits of the plan cache', async () => {
    for (const _ of [1, 2]) await system.graphql('query Twice { products { totalCount } }');
    await system.graphql('{ nothing }');
    const router = await metricsOf('router');
    const times = (operation: string) =>
      readingOf(router, 'holdfast_graphql_operation_seconds_count', { operation });
    expect(times('Twice')).toBe(2);
    expect(times('invalid')).toBe(1);
    const request = { subgraph: 'product', outcome: 'ok' };
    const name = 'holdfast_subgraph_request_seconds_count';
    expect(readingOf(router, name, request)).toBeGreaterThanOrEqual(2);
    const hits = readingOf(router, 'holdfast_plan_cache_lookups_total', { outcome: 'hit' });
    expect(hits).toBeGreaterThanOrEqual(1);
    const product = await metricsOf('product');
    const field = { operation: 'products', type: 'query' };
    const responses = readingOf(product, 'holdfast_graphql_operation_seconds_count', field);
    expect(responses).toBeGreaterThanOrEqual(2);
  });

  it('have at most a hundred operation names of clients', () => {
    const nameOf = nameOperations(['Browse']);
    const named = (value?: string) =>
      nameOf({ ...(value && { name: { value } }) } as Parameters<typeof nameOf>[0]);
    const names = new Set(Array.from({ length: 500 }, (_, at) => named(`Made${at}`)));
    expect(names.size).toBe(101);
    expect(named('Made7')).toBe('Made7');
    expect([named('New'), named('Browse'), named()]).toEqual(['other', 'Browse', 'anonymous']);
  });
});
