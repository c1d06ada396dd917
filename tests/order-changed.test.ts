import pg from 'pg';
import { overWebSocket } from './harness/live.js';
import { checkout, logIn, openShop, type Person, pay, registerPerson } from './harness/people.js';
import { type SeenOrder, subgraphClient, watchOrder } from './harness/subscribe.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { actAs } from './harness/vendor.js';
import { eventually } from './harness/wait.js';

describe('the subscription orderChanged, over graphql-ws at the order subgraph', () => {
  let system: TestSystem;
  let vendor: Person;
  let otherVendor: Person;
  let customer: Person;
  let shop: Awaited<ReturnType<typeof openShop>>;
  let otherShop: Awaited<ReturnType<typeof openShop>>;
  const clients: ReturnType<typeof subgraphClient>[] = [];
  beforeAll(async () => {
    system = await startSystem({ RESERVATION_MINUTES: '0.2', PAYMENT_TIMEOUT_SECONDS: '2' });
    [vendor, otherVendor, customer] = await Promise.all([
      registerPerson(system, 'VENDOR'),
      registerPerson(system, 'VENDOR'),
      registerPerson(system),
    ]);
    shop = await openShop(system, vendor, [100]);
    otherShop = await openShop(system, otherVendor, [100]);
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.dispose()));
  });
  afterAll(async () => {
    await system.expectInvariants();
    await system.stop();
  });

  async function place(items = [shop]): Promise<string> {
    const lines = items.map(({ offerId }) => ({ offerId, quantity: 1 }));
    return (await checkout(system, customer, lines)).data.checkout.order.id;
  }
  function watch(person: Person | null, orderId: string) {
    const client = subgraphClient(system, 'order', { token: person?.token });
    clients.push(client);
    return watchOrder(client, orderId);
  }
  const statuses = (seen: SeenOrder[]) => seen.map(({ status }) => status);
  const until = (seen: SeenOrder[], status: string) =>
    eventually(
      async () => seen.at(-1)?.status,
      (last) => last === status,
    );
  const shopOrderOf = async (orderId: string) => {
    const order = await actAs(system, customer).must(
      'query ($id: UUID!) { order(id: $id) { shopOrders { id } } }',
      { id: orderId },
    );
    return order.shopOrders[0].id as string;
  };
  const step = (name: string, id: string) =>
    actAs(system, vendor).must(`mutation ($id: UUID!) { ${name}(id: $id) { __typename } }`, { id });
  const ship = (id: string) =>
    actAs(system, vendor).mutate('shipShopOrder', 'ShipShopOrderInput', { id }, '__typename');

  it('starts with the current order, then sends each change of it and of its shop orders', async () => {
    const orderId = await place();
    const { seen } = watch(customer, orderId);
    await until(seen, 'PENDING');
    expect(seen).toHaveLength(1);
    await pay(system, customer, orderId);
    await until(seen, 'CONFIRMED');
    const shopOrderId = await shopOrderOf(orderId);
    await ship(shopOrderId);
    await until(seen, 'SHIPPED');
    expect(seen.at(-1)?.shopOrders).toEqual([{ id: shopOrderId, status: 'SHIPPED' }]);
    await step('deliverShopOrder', shopOrderId);
    await until(seen, 'DELIVERED');
    expect([...new Set(statuses(seen))]).toEqual(['PENDING', 'CONFIRMED', 'SHIPPED', 'DELIVERED']);
    expect(seen.at(-1)?.history.edges.at(-1)).toEqual({ node: { type: 'DELIVERED' } });
  });

  it('sends the cancellation when the payment window expires', async () => {
    const orderId = await place();
    const { seen } = watch(customer, orderId);
    await until(seen, 'CANCELLED');
    expect(seen.at(-1)).toMatchObject({
      cancelReason: 'PAYMENT_TIMEOUT',
      shopOrders: [{ status: 'CANCELLED' }],
    });
  });

  it('is open to a vendor of the order, with their own shop order only, and to an admin', async () => {
    const orderId = await place([shop, otherShop]);
    const mine = watch(vendor, orderId);
    const all = watch(await logIn(system, 'ada'), orderId);
    await Promise.all([until(mine.seen, 'PENDING'), until(all.seen, 'PENDING')]);
    await pay(system, customer, orderId);
    await Promise.all([until(mine.seen, 'CONFIRMED'), until(all.seen, 'CONFIRMED')]);
    expect(mine.seen.at(-1)?.shopOrders).toHaveLength(1);
    expect(all.seen.at(-1)?.shopOrders).toHaveLength(2);
  });

  it('is refused to everyone else', async () => {
    const orderId = await place();
    const stranger = await registerPerson(system);
    const codes: [Person | null, string, string][] = [
      [stranger, orderId, 'NOT_FOUND'],
      [otherVendor, orderId, 'NOT_FOUND'],
      [customer, shop.shopId, 'NOT_FOUND'],
      [null, orderId, 'UNAUTHENTICATED'],
    ];
    for (const [person, id, code] of codes) {
      const { seen, failure } = watch(person, id);
      expect(await eventually(async () => failure(), Boolean)).toMatchObject({
        extensions: { code },
      });
      expect(seen).toEqual([]);
    }
  });

  it('works through the router, with fields of other subgraphs, and shows each user only their data', async () => {
    const orderId = await place([shop, otherShop]);
    const query = `subscription ($id: UUID!) { orderChanged(id: $id) {
      status customer { email } shopOrders { shop { name } items { variant { product { name } } } } } }`;
    const connections = [customer, vendor].map(({ token }) => overWebSocket(system.url, token));
    const watches = connections.map(({ subscribe }) => subscribe(query, { id: orderId }));
    const last = (status: string) =>
      Promise.all(
        watches.map((watch) =>
          eventually(
            async () => watch.seen.at(-1)?.data?.orderChanged,
            (order) => order?.status === status,
          ),
        ),
      );
    await last('PENDING');
    await pay(system, customer, orderId);
    const [own, ofShop] = await last('CONFIRMED');
    expect(own.shopOrders).toHaveLength(2);
    expect(own.customer.email).toEqual(expect.any(String));
    expect(ofShop.customer).toBeNull();
    expect(ofShop.shopOrders).toEqual([
      {
        shop: { name: expect.any(String) },
        items: [{ variant: { product: { name: expect.any(String) } } }],
      },
    ]);
    for (const connection of connections) connection.close();
  });

  it('finds a change that was not published', async () => {
    const orderId = await place();
    const { seen } = watch(customer, orderId);
    await pay(system, customer, orderId);
    await until(seen, 'CONFIRMED');
    const database = new pg.Client({ connectionString: system.databases.order });
    await database.connect();
    const before = seen.length;
    await database.query('update customer_order set version = version + 1 where id = $1', [
      orderId,
    ]);
    await database.end();
    await eventually(
      async () => seen.length,
      (count) => count > before,
    );
    expect(seen.at(-1)?.status).toBe('CONFIRMED');
  });

  it('continues while Redis is down', async () => {
    const orderId = await place();
    await pay(system, customer, orderId);
    const shopOrderId = await shopOrderOf(orderId);
    const { seen } = watch(customer, orderId);
    await until(seen, 'CONFIRMED');
    await system.redis.restart();
    await ship(shopOrderId);
    await until(seen, 'SHIPPED');
    await step('deliverShopOrder', shopOrderId);
    await until(seen, 'DELIVERED');
  });
});
