import { randomUUID } from 'node:crypto';
import pg from 'pg';
import {
  availableOf,
  checkout,
  checkoutOnce,
  openShop,
  type Person,
  registerPerson,
} from './harness/people.js';
import { statementsOf } from './harness/statements.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { actAs } from './harness/vendor.js';

/** The statement of `availabilityOf` at the warehouse subgraph. */
const lookUp = /available, version from stock_item/;
const rememberMs = 2000;

describe('a checkout without stock, through the router', () => {
  let system: TestSystem;
  let vendor: Person;
  let customer: Person;
  let order: pg.Client;
  beforeAll(async () => {
    system = await startSystem();
    order = new pg.Client({ connectionString: system.databases.order });
    await order.connect();
    vendor = await registerPerson(system, 'VENDOR');
  });
  beforeEach(async () => {
    customer = await registerPerson(system);
  });
  afterEach(() => system.expectInvariants());
  afterAll(async () => {
    await order.end();
    await system.stop();
  });

  type Shop = Awaited<ReturnType<typeof openShop>>;
  const buy = async ({ offerId }: Pick<Shop, 'offerId'>, quantity = 1, key?: string) =>
    (await checkout(system, customer, [{ offerId, quantity }], key)).data.checkout;
  const numberOf = async (shop: Shop) => (await buy(shop)).order.number as string;
  /** The rows of all tables of the order database. */
  async function rowsCount(): Promise<number> {
    const tables = await order.query<{ name: string }>(
      `select quote_ident(tablename) as name from pg_tables where schemaname = 'public'`,
    );
    const counts = tables.rows.map(({ name }) => `(select count(*) from ${name})`);
    return Number((await order.query(`select ${counts.join(' + ')} as rows`)).rows[0].rows);
  }
  const receive = ({ warehouseIds: [warehouseId], sku }: Shop, quantity: number) => {
    const input = { warehouseId, sku, quantity, reference: 'more' };
    return actAs(system, vendor).mutate('receiveStock', 'ReceiveStockInput', input, 'id');
  };
  const lookUps = async (work: () => Promise<unknown>) =>
    (await statementsOf('warehouse', work, lookUp)).length;
  const pause = () => new Promise((resolve) => setTimeout(resolve, rememberMs + 100));

  /** Offers without stock of one shop. */
  async function soldOut(count: number): Promise<string[]> {
    const as = actAs(system, vendor);
    const skus = Array.from({ length: count }, () => `OUT-${randomUUID().slice(0, 13)}`);
    const { shopId, sku } = await openShop(system, vendor, [1]);
    const { product } = await as.must(
      'query ($sku: String!) { variant(sku: $sku) { product { id category { id } } } }',
      { sku },
    );
    const input = { name: 'Many', description: 'Sold out', categoryId: product.category.id };
    const variants = skus.map((each) => ({ sku: each, name: each }));
    await as.mutate('createProduct', 'CreateProductInput', { ...input, variants }, 'id');
    const offerIds: string[] = [];
    for (const each of skus) {
      const offer = { shopId, sku: each, price: '1.00' };
      offerIds.push((await as.mutate('setOffer', 'SetOfferInput', offer, 'id')).id);
    }
    return offerIds;
  }

  it('of 100 lines leaves at most 2 rows, shows all of them, and repeats its answer', async () => {
    const offerIds = await soldOut(100);
    expect((await buy({ offerId: offerIds[50] as string })).__typename).toBe('InsufficientStock');
    const before = await rowsCount();
    const items = offerIds.map((offerId) => ({ offerId, quantity: 1 }));
    const { data } = await checkout(system, customer, items, 'hundred');
    expect(data.checkout.__typename).toBe('InsufficientStock');
    expect(data.checkout.lines).toHaveLength(100);
    expect(data.checkout.lines).toContainEqual({
      ...{ offer: { id: offerIds[99] }, requested: 1, available: 0 },
    });
    expect((await rowsCount()) - before).toBeLessThanOrEqual(2);
    expect((await checkout(system, customer, items, 'hundred')).data).toEqual(data);
  });

  it('is looked up only if more units of a SKU are ordered than were left when it was refused in the last 2 s', async () => {
    const [shop, other] = [
      await openShop(system, vendor, [2]),
      await openShop(system, vendor, [9]),
    ];
    expect(await lookUps(() => buy(shop))).toBe(0);
    expect(await lookUps(() => buy(shop, 2))).toBe(0); // refused by the reservation
    expect(await lookUps(() => buy(shop, 2))).toBe(1); // refused by the look-up
    expect(await lookUps(() => buy(shop, 1))).toBe(0); // sold: one was left
    expect(await lookUps(() => buy(other))).toBe(0);
    await pause();
    const before = await rowsCount();
    expect(await lookUps(() => buy(shop))).toBe(0);
    expect((await rowsCount()) - before).toBeGreaterThan(2);
  });

  it('is not looked up if its key was claimed before: another process may hold stock for it', async () => {
    const shop = await openShop(system, vendor, [1]);
    await system.stopProcess('shop');
    const items = [{ offerId: shop.offerId, quantity: 2 }];
    const { errors } = await checkoutOnce(system, customer, items, 'again');
    expect(errors?.[0]?.extensions.code).toBe('TRY_AGAIN');
    await system.start('shop');
    await buy(shop, 2);
    expect(await lookUps(() => buy(shop, 2))).toBe(1);
    expect(await lookUps(() => buy(shop, 2, 'again'))).toBe(0);
  });

  it('shares a look-up with those at the same moment', async () => {
    const shop = await openShop(system, vendor, [1]);
    await buy(shop, 2);
    const results: string[] = [];
    const count = await lookUps(() =>
      Promise.all(
        Array.from({ length: 40 }, async () => results.push((await buy(shop, 2)).__typename)),
      ),
    );
    expect(new Set(results)).toEqual(new Set(['InsufficientStock']));
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThan(40);
  });

  it('is followed by a sale as soon as stock comes back', async () => {
    const shop = await openShop(system, vendor, [1]);
    const first = await buy(shop);
    for (let n = 0; n < 3; n++) expect((await buy(shop)).__typename).toBe('InsufficientStock');
    const cancel = 'mutation ($id: UUID!) { cancelOrder(id: $id) { __typename } }';
    await actAs(system, customer).must(cancel, { id: first.order.id });
    expect((await buy(shop)).__typename).toBe('CheckoutSuccess');
    for (let n = 0; n < 3; n++) expect((await buy(shop)).__typename).toBe('InsufficientStock');
    await receive(shop, 1);
    expect((await buy(shop)).__typename).toBe('CheckoutSuccess');
  });

  it('sells exactly the stock, though look-ups and reservations alternate', async () => {
    const shop = await openShop(system, vendor, [5]);
    await buy(shop, 6);
    const results = await Promise.all(Array.from({ length: 30 }, () => buy(shop)));
    const sold = results.filter(({ __typename }) => __typename === 'CheckoutSuccess');
    expect(sold).toHaveLength(5);
    expect(await availableOf(system, shop.offerId)).toBe(0);
  });

  it('uses up no number', async () => {
    const shop = await openShop(system, vendor, [2]);
    const digitsOf = (number: string) => Number(number.slice(1));
    const first = digitsOf(await numberOf(shop));
    for (let n = 0; n < 3; n++) await buy(shop, 2);
    await pause();
    await buy(shop, 2);
    expect(digitsOf(await numberOf(shop))).toBe(first + 1);
  });
});

describe('the number of an order', () => {
  let system: TestSystem;
  let shop: Awaited<ReturnType<typeof openShop>>;
  let order: pg.Client;
  beforeAll(async () => {
    system = await startSystem();
    order = new pg.Client({ connectionString: system.databases.order });
    await order.connect();
    shop = await openShop(system, await registerPerson(system, 'VENDOR'), [100]);
  });
  afterEach(() => system.expectInvariants());
  afterAll(async () => {
    await order.end();
    await system.stop();
  });

  const numberOf = async (customer: Person): Promise<string> => {
    const items = [{ offerId: shop.offerId, quantity: 1 }];
    return (await checkout(system, customer, items)).data.checkout.order.number;
  };

  it('differs in 20 checkouts at the same moment', async () => {
    const customers = await Promise.all(Array.from({ length: 20 }, () => registerPerson(system)));
    const numbers = await Promise.all(customers.map(numberOf));
    expect(new Set(numbers).size).toBe(20);
    for (const number of numbers) expect(number).toMatch(/^H\d{8}$/);
  });

  it('grows beyond 8 digits, also in orders from the cart', async () => {
    const customer = await registerPerson(system);
    await order.query(`select setval('order_number', 99999998)`);
    expect(await numberOf(customer)).toBe('H99999999');
    const add = { offerId: shop.offerId, quantity: 1 };
    await actAs(system, customer).mutate('addToCart', 'AddToCartInput', add, '__typename');
    expect(await numberOf(customer)).toBe('H100000000');
    expect(await numberOf(customer)).toBe('H100000001');
    await order.query(`select setval('order_number', 99999999)`);
    await order.query(`alter table customer_order disable trigger number_is_final;
      update customer_order set number = 'X' || number;
      update numbered_order set number = 'X' || number;
      alter table customer_order enable trigger number_is_final`);
    const numbers = [];
    for (let n = 0; n < 3; n++) numbers.push(await numberOf(customer));
    expect(numbers).toEqual(['H100000000', 'H100000001', 'H100000002']);
  });
});
