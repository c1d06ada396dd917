import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { operationsFolder, readKnownOperations } from '../router/operations/known-operations.js';
import { checkout, logIn, openShop, registerPerson } from './harness/people.js';
import { type GraphQLReply, startSystem, type TestSystem } from './harness/system.js';

const codes = ({ errors = [] }: GraphQLReply) => [
  ...new Set(errors.map(({ extensions }) => extensions.code)),
];
const pathsTo = ({ errors = [] }: GraphQLReply) => [
  ...new Set(errors.map(({ path }) => path?.filter((each) => typeof each === 'string').join('.'))),
];

describe('while a subgraph is down', () => {
  let system: TestSystem;
  beforeAll(async () => {
    system = await startSystem();
  });
  afterAll(() => system.stop());

  type Subgraph = 'warehouse' | 'shop' | 'user' | 'order';
  async function without(subgraph: Subgraph, send: () => Promise<GraphQLReply>) {
    await system.stopProcess(subgraph);
    const reply = await send();
    await system.start(subgraph);
    return reply;
  }

  it('warehouse: products are returned without availability, with an error at each path', async () => {
    const query = `{ products(first: 5) { edges { node { name variants { sku
      availability { available } } } } } }`;
    const reply = await without('warehouse', () => system.graphql(query));
    const variants = reply.data.products.edges.flatMap(
      ({ node }: { node: { variants: unknown[] } }) => node.variants,
    );
    expect(variants.length).toBeGreaterThanOrEqual(5);
    expect(variants).toEqual(variants.map(() => ({ sku: expect.any(String), availability: null })));
    expect(codes(reply)).toEqual(['TRY_AGAIN']);
    expect(pathsTo(reply)).toEqual(['products.edges.node.variants.availability']);
    expect(reply.errors).toHaveLength(variants.length);
  });

  it('shop: products are returned without prices', async () => {
    const query =
      '{ products(first: 2) { edges { node { name priceRange { lowest { amount } } } } } }';
    const reply = await without('shop', () => system.graphql(query));
    expect(reply.data.products.edges).toEqual([
      { node: { name: expect.any(String), priceRange: null } },
      { node: { name: expect.any(String), priceRange: null } },
    ]);
    expect([codes(reply), pathsTo(reply)]).toEqual([
      ['TRY_AGAIN'],
      ['products.edges.node.priceRange'],
    ]);
  });

  it('user: an order is returned without the name of its customer', async () => {
    const vendor = await registerPerson(system, 'VENDOR');
    const customer = await registerPerson(system);
    const { offerId } = await openShop(system, vendor, [5]);
    await checkout(system, customer, [{ offerId, quantity: 1 }]);
    const query = '{ orders { edges { node { number customer { name } } } } }';
    const reply = await without('user', () => system.graphql(query, {}, customer.token));
    const [{ node }] = reply.data.orders.edges;
    expect(node.number).toEqual(expect.any(String));
    expect(node.customer?.name ?? null).toBeNull();
    expect(codes(reply)).toEqual(['TRY_AGAIN']);
  });

  it('order: a user is returned without orders', async () => {
    const ana = await logIn(system, 'ana');
    const query = '{ me { name orders { edges { node { id } } } } }';
    const reply = await without('order', () => system.graphql(query, {}, ana.token));
    expect(reply.data.me).toEqual({ name: expect.any(String), orders: null });
    expect([codes(reply), pathsTo(reply)]).toEqual([['TRY_AGAIN'], ['me.orders']]);
  });
});

describe('known operations', () => {
  let system: TestSystem;
  beforeAll(async () => {
    system = await startSystem();
  });
  afterAll(() => system.stop());

  it('are planned at start: the first request finds its plan in the cache', async () => {
    const lookups = async () => {
      const url = `http://127.0.0.1:${system.ports.ops.router}/metrics`;
      const text = await (await fetch(url)).text();
      const of = (outcome: string) => {
        const line = text.split('\n').find((each) => {
          return each.startsWith('holdfast_plan_cache_lookups') && each.includes(`"${outcome}"`);
        });
        return Number(line?.split(' ').at(-1) ?? 0);
      };
      return { hits: of('hit'), misses: of('miss') };
    };
    const atStart = await lookups();
    // Subscriptions are planned when they are opened.
    const planned = readKnownOperations().filter(({ query }) => !/^subscription/m.test(query));
    expect(atStart).toEqual({ hits: 0, misses: planned.length });
    const browse = readFileSync(join(operationsFolder, 'browse.graphql'), 'utf8');
    expect((await system.graphql(browse)).errors).toBeUndefined();
    expect(await lookups()).toEqual({ ...atStart, hits: 1 });
  });
});
