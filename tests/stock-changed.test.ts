import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { checkout, openShop, type Person, registerPerson } from './harness/people.js';
import { type StockNumber, warehouseClient, watchStock } from './harness/subscribe.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { eventually } from './harness/wait.js';

describe('stockChanged, over graphql-ws at the warehouse subgraph', () => {
  let system: TestSystem;
  let vendor: Person;
  let customer: Person;
  beforeAll(async () => {
    system = await startSystem();
    [vendor, customer] = await Promise.all([
      registerPerson(system, 'VENDOR'),
      registerPerson(system),
    ]);
  });
  afterAll(async () => {
    await system.expectInvariants();
    await system.stop();
  });

  const last = (seen: StockNumber[]) => seen.at(-1)?.available;
  const until = (seen: StockNumber[], available: number) =>
    eventually(
      async () => last(seen),
      (value) => value === available,
    );
  const isIncreasing = (seen: StockNumber[]) =>
    seen.every(({ version }, at) => at === 0 || version > (seen[at - 1] as StockNumber).version);

  it('starts with the current stock, then sends each change with a higher version', async () => {
    const { sku, offerId } = await openShop(system, vendor, [10]);
    const client = warehouseClient(system);
    const watch = watchStock(client, { skus: [sku] });
    await until(watch.seen, 10);
    expect(watch.seen).toHaveLength(1);
    await checkout(system, customer, [{ offerId, quantity: 3 }]);
    await until(watch.seen, 7);
    await checkout(system, customer, [{ offerId, quantity: 2 }]);
    await until(watch.seen, 5);
    expect(isIncreasing(watch.seen)).toBe(true);
    await client.dispose();
  });

  it('sends the last of many simultaneous changes, with versions that only increase', async () => {
    const { sku, offerId } = await openShop(system, vendor, [40]);
    const client = warehouseClient(system);
    const watch = watchStock(client, { skus: [sku] });
    await until(watch.seen, 40);
    await Promise.all(
      Array.from({ length: 30 }, () => checkout(system, customer, [{ offerId, quantity: 1 }])),
    );
    await until(watch.seen, 10);
    expect(isIncreasing(watch.seen)).toBe(true);
    await client.dispose();
  });

  it('watches all skus of a shop, or given skus of that shop', async () => {
    const one = await openShop(system, vendor, [4]);
    const other = await openShop(system, vendor, [6]);
    const client = warehouseClient(system);
    const ofShop = watchStock(client, { shopId: one.shopId });
    const ofBoth = watchStock(client, { skus: [one.sku, other.sku], shopId: other.shopId });
    await until(ofShop.seen, 4);
    await until(ofBoth.seen, 6);
    await checkout(system, customer, [
      { offerId: one.offerId, quantity: 1 },
      { offerId: other.offerId, quantity: 1 },
    ]);
    await until(ofShop.seen, 3);
    await until(ofBoth.seen, 5);
    expect(ofShop.seen.every(({ variant }) => variant.sku === one.sku)).toBe(true);
    expect(ofBoth.seen.every(({ variant }) => variant.sku === other.sku)).toBe(true);
    await client.dispose();
  });

  it('finds changes that were not published, within two seconds', async () => {
    const { sku, offerId } = await openShop(system, vendor, [10]);
    const client = warehouseClient(system);
    const watch = watchStock(client, { skus: [sku] });
    await until(watch.seen, 10);
    await system.redis.restart();
    await eventually(
      async () => {
        const items = [{ offerId, quantity: 1 }];
        return (await checkout(system, customer, items, 'after Redis')).data?.checkout;
      },
      (result) => result?.__typename === 'CheckoutSuccess',
    );
    await until(watch.seen, 9);
    await client.dispose();
  });

  it('ends with TRY_AGAIN when a shop grows beyond 10,000 variants', async () => {
    const database = new pg.Client({ connectionString: system.databases.warehouse });
    await database.connect();
    const shopId = randomUUID();
    const addItems = (from: number, to: number) =>
      database.query(
        `insert into stock_item (shop_id, sku, available, version)
         select $1, 'many-' || n, 0, 1 from generate_series($2::int, $3::int) as n`,
        [shopId, from, to],
      );
    await addItems(1, 10_000);
    const client = warehouseClient(system);
    const watch = watchStock(client, { shopId });
    await eventually(
      async () => watch.seen.length,
      (count) => count === 10_000,
    );
    await addItems(10_001, 10_001);
    const failure = await eventually(async () => watch.failure(), Boolean);
    expect(failure).toMatchObject({ extensions: { code: 'TRY_AGAIN' } });
    await client.dispose();
    await database.query('delete from stock_item where shop_id = $1', [shopId]);
    await database.end();
  });

  it('requires skus or a shop, and at most 100 skus', async () => {
    const client = warehouseClient(system);
    const tooMany = Array.from({ length: 101 }, (_, n) => `SKU-${n}`);
    for (const variables of [{}, { skus: [] }, { skus: tooMany }]) {
      const watch = watchStock(client, variables);
      const failure = await eventually(async () => watch.failure(), Boolean);
      expect(failure).toMatchObject({ extensions: { code: 'BAD_USER_INPUT' } });
    }
    await client.dispose();
  });

  it('refuses a client without the secret of a permitted caller', async () => {
    const client = warehouseClient(system, 'a secret that is not the one');
    const watch = watchStock(client, { skus: ['TRAIL-40'] });
    const failure = await eventually(async () => watch.failure(), Boolean);
    expect(failure).toMatchObject({ code: 4403 });
    expect(watch.seen).toEqual([]);
    await client.dispose();
  });
});
