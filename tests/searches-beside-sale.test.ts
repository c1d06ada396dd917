import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { address, openShop, type Person, registerPerson } from './harness/people.js';
import { type ProcessSystem, startProcessSystem } from './harness/process-system.js';
import { retryUntil } from './harness/retry.js';
import {
  type SlowSearches,
  search,
  searchesAtOnce,
  startSlowSearches,
} from './harness/slow-searches.js';

const customersCount = 30;
const settleMs = 30_000;

const checkoutMutation = `mutation ($input: CheckoutInput!) { checkout(input: $input) {
  __typename ... on CheckoutSuccess { order { id } } } }`;
const payMutation = `mutation ($input: PayOrderInput!) { payOrder(input: $input) {
  __typename ... on PaymentSuccess { order { id } } } }`;

describe(`a sale beside ${searchesAtOnce} slow searches`, () => {
  let system: ProcessSystem;
  let customers: readonly Person[];
  let offerId: string;
  let order: pg.Client;
  let searches: SlowSearches | undefined;
  beforeAll(async () => {
    system = await startProcessSystem({ SUBGRAPH_TIMEOUT_MS: '6000' });
    const vendor = await registerPerson(system, 'VENDOR');
    ({ offerId } = await openShop(system, vendor, [customersCount]));
    customers = await Promise.all(
      Array.from({ length: customersCount }, () => registerPerson(system)),
    );
    order = new pg.Client({ connectionString: system.databases.order });
    await order.connect();
  }, 240_000);
  afterAll(async () => {
    await order.end();
    await system.stop();
  }, 60_000);

  afterEach(() => searches?.end());

  it('sells every unit, keeps all processes ready, and loses no acknowledged checkout', async () => {
    searches = await startSlowSearches(system);
    const unexpected: unknown[] = [];
    const orderIds: string[] = [];
    const send = async (person: Person, mutation: string, input: object) => {
      const ask = () => system.graphql(mutation, { input }, person.token);
      const reply = await retryUntil(ask, Date.now() + 60_000);
      if (!reply || reply.errors) unexpected.push(reply?.errors ?? 'no answer');
      return reply?.data;
    };
    const buy = async (person: Person) => {
      const placed = await send(person, checkoutMutation, {
        idempotencyKey: randomUUID(),
        items: [{ offerId, quantity: 1 }],
        shippingAddress: address,
      });
      const orderId = placed?.checkout.order?.id;
      const input = { orderId, idempotencyKey: randomUUID() };
      const paid = await send(person, payMutation, input);
      if (paid?.payOrder.__typename === 'PaymentSuccess') orderIds.push(orderId);
    };
    await Promise.all(customers.map(buy));
    // The searches were slow all the while, and nobody takes their subgraph for dead.
    expect(await searches.waiting()).toBeGreaterThan(0);
    const { router, product: ofProduct, order: ofOrder } = system.ports.ops;
    for (const port of [router, ofProduct, ofOrder]) {
      expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200);
    }
    await searches.end();

    expect(unexpected).toEqual([]);
    expect([...searches.codes]).toEqual(['TRY_AGAIN']);
    const { rows } = await order.query(
      `select count(*)::int as sold from customer_order
       where id = any ($1::uuid[]) and status = 'CONFIRMED'`,
      [orderIds],
    );
    expect(rows).toEqual([{ sold: customersCount }]);
    await system.expectInvariants(settleMs);
    const { data } = await system.graphql(search, { search: 'after the sale' });
    expect(data.products.edges).toEqual(expect.any(Array));
  }, 240_000);
});
