import { openShop, type Person, registerPerson } from './harness/people.js';
import { startRouterBeside, stopRoutersBeside } from './harness/router-beside.js';
import { startSubgraphProxy } from './harness/subgraph-proxy.js';
import { postGraphQL, startSystem, type TestSystem } from './harness/system.js';
import { actAs } from './harness/vendor.js';
import { eventually } from './harness/wait.js';

describe('a client that has written something reads it, also while an older read is in flight', () => {
  let system: TestSystem;
  let vendor: Person;
  let shop: Awaited<ReturnType<typeof openShop>>;
  beforeAll(async () => {
    system = await startSystem();
    vendor = await registerPerson(system, 'VENDOR');
    shop = await openShop(system, vendor, [10]);
  });
  afterEach(stopRoutersBeside);
  afterAll(() => system.stop());

  /** A router whose reads of a subgraph with the given text are answered late, and a read of it in flight. */
  async function slowRead(
    subgraph: 'order' | 'warehouse' | 'product',
    text: string,
    query: string,
    by: Person,
  ) {
    const address = `http://127.0.0.1:${system.ports.ports[subgraph]}`;
    const proxy = await startSubgraphProxy(address);
    const name = `SUBGRAPH_URL_${subgraph.toUpperCase()}`;
    const router = await startRouterBeside(system, { [name]: proxy.url });
    const read = async () => {
      const { data, errors } = await postGraphQL(router.graphqlUrl, query, {}, by.token);
      expect(errors).toBeUndefined();
      return data;
    };
    const release = proxy.holdResponsesTo(text);
    const old = read();
    const areHeld = (count: number) =>
      eventually(
        async () => proxy.held(),
        (held) => held === count,
      );
    await areHeld(1);
    /** What is read now: by a request of its own, which is sent while the old one is in flight. */
    const readNow = async () => {
      const now = read();
      await areHeld(2);
      release();
      return now;
    };
    return { readNow, old, router, stop: () => proxy.stop() };
  }

  it.each(['the same router', 'another router'])('after a mutation at %s', async (where) => {
    const customer = await registerPerson(system);
    const query = '{ cart { items { quantity } } }';
    const slow = await slowRead('order', 'cart', query, customer);
    const url = where === 'the same router' ? slow.router.graphqlUrl : system.url;
    const add = `mutation { setCartItem(input: { offerId: "${shop.offerId}", quantity: 3 }) { __typename } }`;
    const { errors } = await postGraphQL(url, add, {}, customer.token);
    expect(errors).toBeUndefined();
    const fresh = await slow.readNow();
    expect(await slow.old).toEqual({ cart: { items: [] } });
    expect(fresh).toEqual({ cart: { items: [{ quantity: 3 }] } });
    await slow.stop();
  });

  it('after a stock file', async () => {
    const [id] = shop.warehouseIds;
    const query = `{ warehouse(id: "${id}") { stockLevels { edges { node { onHand } } } } }`;
    const slow = await slowRead('warehouse', 'stockLevels', query, vendor);
    const file = `sku,quantity\n${shop.sku},42\n`;
    expect((await actAs(system, vendor).putStock(id as string, file)).status).toBe(200);
    const fresh = await slow.readNow();
    const onHand = (units: number) => ({
      warehouse: { stockLevels: { edges: [{ node: { onHand: units } }] } },
    });
    expect(await slow.old).toEqual(onHand(10));
    expect(fresh).toEqual(onHand(42));
    await slow.stop();
  });

  it('after a change of what everybody reads, as an entity of another subgraph', async () => {
    const query = `{ offer(id: "${shop.offerId}") { variant { name } } }`;
    const slow = await slowRead('product', '_entities', query, vendor);
    const rename = `mutation { updateVariant(input: { sku: "${shop.sku}", name: "renamed" }) { sku } }`;
    expect((await system.graphql(rename, {}, vendor.token)).errors).toBeUndefined();
    const fresh = await slow.readNow();
    expect(await slow.old).toEqual({ offer: { variant: { name: 'the only one' } } });
    expect(fresh).toEqual({ offer: { variant: { name: 'renamed' } } });
    await slow.stop();
  });
});
