import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { seedId } from '../dev/seed/ids.js';
import {
  address,
  availableOf,
  checkout,
  openShop,
  type Person,
  registerPerson,
} from './harness/people.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { eventually } from './harness/wait.js';

describe('bad input gets a clear error, and changes nothing', () => {
  let system: TestSystem;
  let customer: Person;
  let vendor: Person;
  let offerId: string;
  let sku: string;
  let warehouseId: string;
  beforeAll(async () => {
    system = await startSystem();
    [customer, vendor] = await Promise.all([
      registerPerson(system),
      registerPerson(system, 'VENDOR'),
    ]);
    const shop = await openShopAndWarehouse([5]);
    [offerId, sku, warehouseId] = [shop.offerId, shop.sku, shop.warehouseIds[0] as string];
  });
  afterAll(async () => {
    await system.expectInvariants();
    await system.stop();
  });

  /** Opens a shop and waits for its first warehouse, which an event creates with the shop's id. */
  async function openShopAndWarehouse(units: number[], price?: string) {
    const shop = await openShop(system, vendor, units, price);
    const first = 'query ($id: UUID!) { warehouse(id: $id) { id } }';
    await eventually(
      () => system.graphql(first, { id: shop.shopId }, vendor.token),
      ({ data }) => Boolean(data?.warehouse),
    );
    return shop;
  }

  /** Numbers of rows of the tables that a checkout or a vendor could change. */
  async function rowCounts() {
    const counts: Record<string, number> = {};
    for (const [name, tables] of Object.entries({
      order: ['customer_order', 'shop_order', 'order_item', 'payment'],
      warehouse: [
        ...['reservation', 'stock_movement', 'stock_level', 'stock_count', 'warehouse', 'outbox'],
      ],
      shop: ['shop', 'offer'],
      product: ['product', 'product_variant', 'category'],
      user: ['user_account'],
    })) {
      const url = system.databases[name as keyof typeof system.databases];
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      for (const table of tables) {
        const { rows } = await client.query(`select count(*)::int as n from ${table}`);
        counts[table] = rows[0].n;
      }
      await client.end();
    }
    return counts;
  }

  async function expectRefused(
    send: () => ReturnType<TestSystem['graphql']>,
    code: string,
    field?: string,
  ) {
    const before = await rowCounts();
    const { errors, status } = await send();
    expect(errors?.[0]?.extensions.code).toBe(code);
    if (field) expect(Object.keys(errors?.[0]?.extensions.fields ?? {})).toContain(field);
    expect(status).toBeLessThan(500);
    expect(await rowCounts()).toEqual(before);
    expect(await availableOf(system, offerId)).toBe(5);
  }

  it.each([
    ['0', 0, 'input.items[0].quantity'],
    ['−1', -1, 'input.items[0].quantity'],
    ['2³¹', 2 ** 31, 'input.items[0].quantity'],
    ['−2³¹', -(2 ** 31), 'input.items[0].quantity'],
    ['a fraction', 1.5, 'input.items[0].quantity'],
    ['more than the maximum of a line', 10_001, 'input.items[0].quantity'],
    ['a string', '1', 'input.items[0].quantity'],
    ['null', null, 'input.items[0].quantity'],
  ])('a quantity of %s', async (_, quantity, field) => {
    const items = [{ offerId, quantity: quantity as number }];
    await expectRefused(() => checkout(system, customer, items), 'BAD_USER_INPUT', field);
  });

  it.each([
    ['not a UUID', 'not-an-id'],
    ['a number', 7],
    ['SQL', "'; drop table customer_order; --"],
    ['empty', ''],
  ])('an offer id that is %s', async (_, id) => {
    const items = [{ offerId: id as string, quantity: 1 }];
    const field = 'input.items[0].offerId';
    await expectRefused(() => checkout(system, customer, items), 'BAD_USER_INPUT', field);
  });

  it.each([
    ['a NUL character in the key', { idempotencyKey: 'a\0b' }, 'input.idempotencyKey'],
    [
      'half a surrogate pair in the address',
      { shippingAddress: { ...address, city: 'a\ud800' } },
      'input.shippingAddress.city',
    ],
  ])('%s', async (_, part, field) => {
    const input = {
      idempotencyKey: 'k',
      items: [{ offerId, quantity: 1 }],
      shippingAddress: address,
      ...part,
    };
    const send = () =>
      system.graphql(
        'mutation ($input: CheckoutInput!) { checkout(input: $input) { __typename } }',
        { input },
        customer.token,
      );
    await expectRefused(send, 'BAD_USER_INPUT', field);
  });

  it('a NUL character in an argument without rules', async () => {
    const send = () =>
      system.graphql('query ($sku: String!) { variant(sku: $sku) { name } }', { sku: '\0' });
    await expectRefused(send, 'BAD_USER_INPUT');
  });

  it('an order with a total of 0, and one with a total above the maximum', async () => {
    for (const price of ['0.00', '9999999999.99']) {
      const { offerId: other } = await openShopAndWarehouse([10_000], price);
      const items = [{ offerId: other, quantity: 9000 }];
      const refused = () => checkout(system, customer, items);
      await expectRefused(refused, 'BAD_USER_INPUT', 'input.items');
    }
  });

  it('an id in upper case is the same id', async () => {
    const upper = offerId.toUpperCase();
    expect(await availableOf(system, upper)).toBe(5);
    const { data } = await checkout(system, customer, [
      { offerId, quantity: 4 },
      { offerId: upper, quantity: 4 },
    ]);
    expect(data.checkout).toMatchObject({ lines: [{ requested: 8, available: 5 }] });
  });

  it('no items, and too many', async () => {
    await expectRefused(() => checkout(system, customer, []), 'BAD_USER_INPUT', 'input.items');
    const items = Array.from({ length: 101 }, () => ({ offerId: randomUUID(), quantity: 1 }));
    await expectRefused(() => checkout(system, customer, items), 'BAD_USER_INPUT', 'input.items');
  });

  it('the same offer twice is added up, and refused above the maximum of a line', async () => {
    const twice = [
      { offerId, quantity: 3 },
      { offerId, quantity: 3 },
    ];
    const { data } = await checkout(system, customer, twice);
    expect(data.checkout).toMatchObject({
      __typename: 'InsufficientStock',
      lines: [{ requested: 6, available: 5 }],
    });
    const many = [
      { offerId, quantity: 9999 },
      { offerId, quantity: 2 },
    ];
    const field = 'input.items[1].quantity';
    await expectRefused(() => checkout(system, customer, many), 'BAD_USER_INPUT', field);
  });

  it('an offer that does not exist is reported with its id', async () => {
    const unknown = randomUUID();
    const before = await rowCounts();
    const { data } = await checkout(system, customer, [
      { offerId, quantity: 1 },
      { offerId: unknown, quantity: 1 },
    ]);
    expect(data.checkout).toMatchObject({ __typename: 'OfferGone', offerIds: [unknown] });
    expect(await rowCounts()).toEqual(before);
  });

  it.each([
    ['no street', { ...address, street: '' }, 'input.shippingAddress.street'],
    ['a city too long', { ...address, city: 'x'.repeat(101) }, 'input.shippingAddress.city'],
    ['a zip too long', { ...address, zip: 'x'.repeat(21) }, 'input.shippingAddress.zip'],
  ])('an address with %s', async (_, shippingAddress, field) => {
    const input = { idempotencyKey: 'k', items: [{ offerId, quantity: 1 }], shippingAddress };
    const send = () =>
      system.graphql(
        'mutation ($input: CheckoutInput!) { checkout(input: $input) { __typename } }',
        { input },
        customer.token,
      );
    await expectRefused(send, 'BAD_USER_INPUT', field);
  });

  const register = {
    name: 'Somebody',
    email: 'new@example.com',
    password: 'secret-1',
  };
  const anyId = seedId('warehouse', 0);
  const level = { warehouseId: anyId, sku: 'X' };
  const damaged = { delta: 1, reason: 'damaged' };
  const bad: Array<[string, string, object, string]> = [
    ['register', 'RegisterInput', { ...register, email: 'no-address' }, 'input.email'],
    ['register', 'RegisterInput', { ...register, password: '12345' }, 'input.password'],
    ['register', 'RegisterInput', { ...register, password: 'x'.repeat(129) }, 'input.password'],
    ['register', 'RegisterInput', { ...register, name: '' }, 'input.name'],
    ['register', 'RegisterInput', { ...register, role: 'ADMIN' }, 'input.role'],
    ['createShop', 'CreateShopInput', { name: 'S', slug: 'Not A Slug' }, 'input.slug'],
    [
      'createShop',
      'CreateShopInput',
      { name: 'S', slug: 's', currencyCode: 'usd' },
      'input.currencyCode',
    ],
    [
      'setOffer',
      'SetOfferInput',
      { shopId: seedId('shop', 0), sku: 'X', price: '-1' },
      'input.price',
    ],
    [
      'setOffer',
      'SetOfferInput',
      { shopId: seedId('shop', 0), sku: 'X', price: '1.999' },
      'input.price',
    ],
    ['setOffer', 'SetOfferInput', { shopId: seedId('shop', 0), sku: 'X', price: 1 }, 'input.price'],
    ['setStockBuffer', 'StockBufferInput', { ...level, buffer: -1 }, 'input.buffer'],
    ['setStockBuffer', 'StockBufferInput', { ...level, buffer: 100_000_001 }, 'input.buffer'],
    ['markUnavailable', 'MarkUnavailableInput', { ...level, ...damaged, delta: 0 }, 'input.delta'],
    [
      'markUnavailable',
      'MarkUnavailableInput',
      { ...level, ...damaged, reason: '' },
      'input.reason',
    ],
    ['openStockCount', 'OpenStockCountInput', { warehouseId: anyId, skus: [] }, 'input.skus'],
    [
      'openStockCount',
      'OpenStockCountInput',
      { warehouseId: anyId, skus: ['X', 'X'] },
      'input.skus',
    ],
    ['submitStockCount', 'SubmitStockCountInput', { countId: anyId, lines: [] }, 'input.lines'],
    [
      'submitStockCount',
      'SubmitStockCountInput',
      { countId: anyId, lines: [{ sku: 'X', quantity: -1 }] },
      'input.lines[0].quantity',
    ],
    ['cancelShopOrder', 'CancelShopOrderInput', { id: anyId, reason: 'ABANDONED' }, 'input.reason'],
    [
      'cancelShopOrder',
      'CancelShopOrderInput',
      { id: anyId, reason: 'OTHER', note: 'x'.repeat(201) },
      'input.note',
    ],
  ];
  it.each(bad)('%s(%s) with %j', async (mutation, type, input, field) => {
    const send = () =>
      system.graphql(
        `mutation ($input: ${type}!) { ${mutation}(input: $input) { __typename } }`,
        { input },
        vendor.token,
      );
    await expectRefused(send, 'BAD_USER_INPUT', field);
  });

  it('a sku that does not exist, and one that is taken', async () => {
    const receive = { warehouseId, sku: 'NO-SUCH-SKU', quantity: 1 };
    await expectRefused(
      () =>
        system.graphql(
          'mutation ($input: ReceiveStockInput!) { receiveStock(input: $input) { id } }',
          { input: receive },
          vendor.token,
        ),
      'BAD_USER_INPUT',
      'input.sku',
    );
    const product = {
      name: 'P',
      description: 'D',
      categoryId: seedId('category', 0),
      variants: [{ sku, name: 'again' }],
    };
    const create = (input: object) =>
      system.graphql(
        'mutation ($input: CreateProductInput!) { createProduct(input: $input) { id } }',
        { input },
        vendor.token,
      );
    await expectRefused(() => create(product), 'CONFLICT');
    const twice = [
      { sku: 'TWICE-1', name: 'v' },
      { sku: 'TWICE-1', name: 'w' },
    ];
    const field = 'input.variants[1].sku';
    await expectRefused(() => create({ ...product, variants: twice }), 'BAD_USER_INPUT', field);
    const long = [{ sku: 'L-1', name: 'v', options: [{ name: '', value: 'x'.repeat(101) }] }];
    const inOption = 'input.variants[0].options[0].value';
    await expectRefused(() => create({ ...product, variants: long }), 'BAD_USER_INPUT', inOption);
    const unknownCategory = { ...product, categoryId: randomUUID(), variants: [] };
    await expectRefused(() => create(unknownCategory), 'BAD_USER_INPUT', 'input.categoryId');
    const script = { ...product, variants: [], images: ['javascript:alert(1)'] };
    await expectRefused(() => create(script), 'BAD_USER_INPUT', 'input.images');
  });

  it.each([
    ['a page of size 0', 'products(first: 0) { pageInfo { hasNextPage } }', 'first'],
    ['a page of size 101', 'products(first: 101) { pageInfo { hasNextPage } }', 'first'],
    ['an invalid cursor', 'products(after: "x") { pageInfo { hasNextPage } }', 'after'],
    ['a product without id or slug', 'product { id }', 'id'],
  ])('%s', async (_, query, field) => {
    await expectRefused(() => system.graphql(`{ ${query} }`), 'BAD_USER_INPUT', field);
  });

  it.each([
    ['invalid GraphQL', 'query {', 'GRAPHQL_PARSE_FAILED'],
    ['a field that does not exist', '{ nothing }', 'GRAPHQL_VALIDATION_FAILED'],
    ['an internal query', '{ offersForSale(ids: []) { id } }', 'GRAPHQL_VALIDATION_FAILED'],
    [
      'an internal mutation',
      'mutation { reserveStock(requests: []) { orderId } }',
      'GRAPHQL_VALIDATION_FAILED',
    ],
  ])('%s', async (_, query, code) => {
    await expectRefused(() => system.graphql(query, {}, customer.token), code);
  });

  it('a body that is not JSON, one that is too large, and an unknown path', async () => {
    const post = (body: string, path = '') =>
      fetch(system.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
    expect((await post('{"query":')).status).toBe(400);
    expect((await post(JSON.stringify({ query: ' '.repeat(100_001) }))).status).toBe(413);
    expect((await post('{}', '/nothing')).status).toBe(404);
    const form = await fetch(system.url, { method: 'POST', body: 'query=%7B__typename%7D' });
    expect(form.status).toBe(415);
  });
});
