import pg from 'pg';
import { checkout, openShop, type Person, registerPerson } from './harness/people.js';
import { recordStatements } from './harness/record-statements.js';
import { subgraphClient, warehouseClient, watchOrder, watchStock } from './harness/subscribe.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { eventually } from './harness/wait.js';

const poolMax = 4;
// One more is for mutations.
const readsMax = 3;

describe('the database connections of subscriptions', () => {
  let system: TestSystem;
  let vendor: Person;
  let shop: Awaited<ReturnType<typeof openShop>>;
  let locker: pg.Client;
  // A transaction sees the activity as it was at its first look.
  let observer: pg.Client;
  beforeAll(async () => {
    system = await startSystem({ DATABASE_POOL_MAX: `${poolMax}` });
    vendor = await registerPerson(system, 'VENDOR');
    shop = await openShop(system, vendor, [10]);
    [locker, observer] = [1, 2].map(
      () => new pg.Client({ connectionString: system.databases.warehouse }),
    ) as [pg.Client, pg.Client];
    await Promise.all([locker.connect(), observer.connect()]);
  });
  afterAll(async () => {
    await Promise.all([locker.end(), observer.end()]);
    await system.stop();
  });

  /** The statements that wait for a lock, of a pool: without that of the worker that looks for ended sales. */
  const waiting = async (pool: string) => {
    const { rows } = await observer.query(
      `select from pg_stat_activity where datname = current_database()
         and application_name = $1 and wait_event_type = 'Lock' and query not like '%end_due_at%'`,
      [pool],
    );
    return rows.length;
  };
  async function whileLocked(table: string, work: () => Promise<unknown>) {
    await locker.query('begin');
    await locker.query(`lock table ${table} in access exclusive mode`);
    try {
      await work();
    } finally {
      await locker.query('rollback');
    }
  }
  const warehouse = () =>
    system.graphql(
      'query ($id: UUID!) { warehouse(id: $id) { name } }',
      { id: shop.warehouseIds[0] },
      vendor.token,
    );

  it('are free while all those of requests are in use', async () => {
    const client = warehouseClient(system);
    let isWatching = true;
    const requests: Promise<unknown>[] = [];
    await whileLocked('warehouse', async () => {
      // Queries that differ are not sent as one. One that fails is followed by the next.
      const repeat = async (n: number) => {
        const query = `query ($id: UUID!) { warehouse(id: $id) { a${n}: name } }`;
        const send = () => system.graphql(query, { id: shop.warehouseIds[0] }, vendor.token);
        while (isWatching) await send();
      };
      for (let n = 0; n < 2 * poolMax; n++) requests.push(repeat(n));
      await eventually(
        () => waiting('warehouse'),
        (count) => count === readsMax,
      );
      const { seen } = watchStock(client, { skus: [shop.sku] });
      await eventually(
        async () => seen.at(-1)?.available,
        (available) => available === 10,
      );
      await eventually(
        () => waiting('warehouse'),
        (count) => count === readsMax,
      );
      isWatching = false;
    });
    await Promise.all(requests);
    await client.dispose();
  });

  it('never use those of requests', async () => {
    const client = warehouseClient(system);
    const watches: ReturnType<typeof watchStock>[] = [];
    await whileLocked('stock_item', async () => {
      for (let n = 0; n < 100; n++) {
        watches.push(watchStock(client, { skus: [shop.sku, `OTHER-${n}`] }));
      }
      await eventually(
        () => waiting('warehouse-feeds'),
        (count) => count > 0,
      );
      expect((await warehouse()).data.warehouse.name).toEqual(expect.any(String));
      expect(await waiting('warehouse')).toBe(0);
    });
    await eventually(
      async () => watches.filter(({ seen }) => seen.length > 0).length,
      (count) => count === watches.length,
    );
    await client.dispose();
  });

  it('also read the orders that customers watch', async () => {
    const customer = await registerPerson(system);
    const { data } = await checkout(system, customer, [{ offerId: shop.offerId, quantity: 1 }]);
    const orderId = data.checkout.order.id;
    const client = subgraphClient(system, 'order', { token: customer.token });
    const work = async () => {
      const { seen } = watchOrder(client, orderId);
      await eventually(
        async () => seen.length,
        (count) => count > 0,
      );
    };
    const { statements } = await recordStatements(work);
    const sentBy = (pool: string) =>
      statements.flatMap(({ application, text }) => (application === pool ? text : []));
    const ofFeeds = sentBy('order-feeds').filter((text) => text.includes('customer_order'));
    expect(ofFeeds.length).toBeGreaterThanOrEqual(3);
    const readsOrder = /from "?customer_order"?.*"?id"? (=|in)/;
    expect(sentBy('order').filter((text) => readsOrder.test(text))).toEqual([]);
    await client.dispose();
  });
});
