import { randomUUID } from 'node:crypto';
import { nodes } from './harness/connections.js';
import { openPayments, type TestPayments } from './harness/payments.js';
import {
  address,
  checkout,
  checkoutWith,
  openShop,
  type Person,
  pay,
  registerPerson,
} from './harness/people.js';
import { cancelShopOrderMutation } from './harness/shopping.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { eventually } from './harness/wait.js';

const refundMaxMs = 20_000;
const money = '{ amount currencyCode }';

/** Through the router, with the payment sandbox, which has a table of currencies of its own. */
describe('a currency', () => {
  let system: TestSystem;
  let payments: TestPayments;
  let customer: Person;
  let vendor: Person;
  beforeAll(async () => {
    system = await startSystem();
    payments = await openPayments(system);
    customer = await registerPerson(system);
    vendor = await registerPerson(system, 'VENDOR');
  });
  afterEach(() => system.expectInvariants());
  afterAll(async () => {
    await payments.close();
    await system.stop();
  });

  const ask = async (query: string, variables: object = {}, person = vendor) => {
    const { data, errors } = await system.graphql(query, variables, person.token);
    if (errors) throw Object.assign(new Error(errors[0]?.message), errors[0]?.extensions);
    return data;
  };
  const refusal = (fields: Record<string, string>) => ({ code: 'BAD_USER_INPUT', fields });
  const open = (price: string, currencyCode: string) =>
    openShop(system, vendor, [100], price, undefined, currencyCode);
  const set = async (input: object) => {
    const query = `mutation ($input: SetOfferInput!) {
      setOffer(input: $input) { price ${money} compareAtPrice ${money} } }`;
    return (await ask(query, { input })).setOffer;
  };
  const offerOf = async (id: string) =>
    (
      await ask(
        `query ($id: UUID!) { offer(id: $id) { price ${money} compareAtPrice ${money} } }`,
        { id },
      )
    ).offer;

  it.each(['ZZZ', 'XXX', 'usd'])(
    '%s is refused for a shop, with one that is right',
    async (code) => {
      const slug = `s-${randomUUID()}`;
      const create = ask(
        'mutation ($input: CreateShopInput!) { createShop(input: $input) { id } }',
        {
          input: { name: 'S', slug, currencyCode: code },
        },
      );
      await expect(create).rejects.toMatchObject(
        refusal({
          'input.currencyCode': `${code} is not a currency that can be charged; use a code of ISO 4217 such as USD`,
        }),
      );
      expect(
        (await ask('query ($slug: String!) { shop(slug: $slug) { id } }', { slug })).shop,
      ).toBeNull();
    },
  );

  it.each([
    ['JPY', '19.90', '19.90 JPY has more decimals than JPY allows; 20 would be right'],
    ['ISK', '100.5', '100.5 ISK has more decimals than ISK allows; 101 would be right'],
    ['UGX', '0.01', '0.01 UGX has more decimals than UGX allows; 0 would be right'],
  ])('refuses a price of %s %s, and a price to compare with', async (code, amount, problem) => {
    const { shopId, sku, offerId } = await open('10', code);
    const before = await offerOf(offerId);
    await expect(set({ shopId, sku, price: amount })).rejects.toMatchObject(
      refusal({ 'input.price': problem }),
    );
    const compared = { shopId, sku, price: '0', compareAtPrice: amount };
    await expect(set(compared)).rejects.toMatchObject(refusal({ 'input.compareAtPrice': problem }));
    expect(await offerOf(offerId)).toEqual(before);
  });

  it('of two shops refuses 100.50 and 99.50 JPY, though the total would be whole', async () => {
    const { shopId, sku } = await open('100', 'JPY');
    const other = await open('100', 'JPY');
    await expect(set({ shopId, sku, price: '100.50' })).rejects.toThrow('101 would be right');
    await expect(set({ shopId: other.shopId, sku: other.sku, price: '99.50' })).rejects.toThrow(
      '100 would be right',
    );
  });

  it('with three decimals takes 1.25 and 1.250, and refuses 1.255', async () => {
    const { shopId, sku, offerId } = await open('1.25', 'KWD');
    const price = { amount: '1.250', currencyCode: 'KWD' };
    expect(await offerOf(offerId)).toMatchObject({ price });
    const compareAtPrice = { amount: '2.500', currencyCode: 'KWD' };
    expect(await set({ shopId, sku, price: '1.250', compareAtPrice: '2.5' })).toEqual({
      price,
      compareAtPrice,
    });
    await expect(set({ shopId, sku, price: '1.255' })).rejects.toMatchObject(
      refusal({ 'input.price': 'must be a multiple of 0.01, such as 1.26' }),
    );
    expect(await offerOf(offerId)).toMatchObject({ price });
  });

  it('of a filter is known, and can express its prices', async () => {
    const { sku } = await open('500.00', 'JPY');
    const list = async (filter: object) =>
      (
        await ask(
          `query ($filter: ProductFilter) { products(filter: $filter) {
             ${nodes(`variants { sku } priceRange(currencyCode: "JPY") { lowest ${money} highest ${money} }`)} } }`,
          { filter },
        )
      ).products.edges.map(({ node }: { node: object }) => node);
    await expect(list({ minPrice: '19.90', currencyCode: 'JPY' })).rejects.toMatchObject(
      refusal({
        'filter.minPrice': '19.90 JPY has more decimals than JPY allows; 20 would be right',
      }),
    );
    await expect(list({ maxPrice: '19.90', currencyCode: 'ISK' })).rejects.toMatchObject(
      refusal({
        'filter.maxPrice': '19.90 ISK has more decimals than ISK allows; 20 would be right',
      }),
    );
    await expect(list({ currencyCode: 'ZZZ' })).rejects.toThrow('ZZZ is not a currency');
    await expect(
      ask(
        '{ products(first: 1) { edges { node { priceRange(currencyCode: "ZZZ") { lowest { amount } } } } } }',
      ),
    ).rejects.toThrow('ZZZ is not a currency');
    const yen = { amount: '500', currencyCode: 'JPY' };
    const found = { variants: [{ sku }], priceRange: { lowest: yen, highest: yen } };
    await eventually(
      () => list({ minPrice: '500', maxPrice: '500.00', currencyCode: 'JPY' }),
      (products) => products.length === 1,
    );
    expect(await list({ minPrice: '500', maxPrice: '500.00', currencyCode: 'JPY' })).toEqual([
      found,
    ]);
  });

  it('refuses an expected total that it cannot express, and takes others by their value', async () => {
    const { offerId } = await open('500', 'JPY');
    const items = [{ offerId, quantity: 2 }];
    const input = { idempotencyKey: randomUUID(), items, shippingAddress: address };
    const send = (expectedTotal: string) =>
      checkoutWith(system, customer, { ...input, expectedTotal });
    expect((await send('999.90')).errors?.[0]?.extensions).toMatchObject(
      refusal({
        'input.expectedTotal': '999.90 JPY has more decimals than JPY allows; 1000 would be right',
      }),
    );
    const { rows } = await payments.order.query(
      'select from customer_order where customer_id = $1',
      [customer.id],
    );
    expect(rows).toEqual([]);
    const changed = await checkoutWith(system, customer, {
      ...{ ...input, idempotencyKey: randomUUID() },
      expectedTotal: '999.00',
    });
    expect(changed.data.checkout).toMatchObject({
      __typename: 'PriceChanged',
      expected: { amount: '999' },
      actual: { amount: '1000' },
    });
    const placed = await checkoutWith(system, customer, {
      ...{ ...input, idempotencyKey: randomUUID() },
      expectedTotal: '1000.000',
    });
    expect(placed.data.checkout).toMatchObject({
      order: { total: { amount: '1000', currencyCode: 'JPY' } },
    });
  });

  it.each([
    ['JPY', ['500.00', '120'], ['500', '100'], '1000', '1120'],
    ['KWD', ['1.25', '0.5'], ['1.250', '0.250'], '2.500', '3.000'],
    ['USD', ['19.9', '5'], ['19.90', '1.50'], '39.80', '44.80'],
  ])(
    'prints amounts with its decimals from the line to the refund: %s',
    async (currencyCode, prices, [unitPrice, byHand], lineTotal, total) => {
      const buyer = await registerPerson(system);
      const offers: string[] = [];
      for (const price of prices) offers.push((await open(price, currencyCode)).offerId);
      const items = offers.map((offerId, at) => ({ offerId, quantity: at === 0 ? 2 : 1 }));
      const of = (amount: string | undefined) => ({ amount, currencyCode });

      for (const input of items) {
        await ask(
          'mutation ($input: AddToCartInput!) { addToCart(input: $input) { __typename } }',
          { input },
          buyer,
        );
      }
      const cartQuery = `{ cart { items { unitPrice ${money} lineTotal ${money} } total ${money} } }`;
      const { cart } = await ask(cartQuery, {}, buyer);
      expect(cart.total).toEqual(of(total));
      expect(cart.items).toContainEqual({ unitPrice: of(unitPrice), lineTotal: of(lineTotal) });

      const { order } = (await checkout(system, buyer, items)).data.checkout;
      expect(order.total).toEqual(of(total));
      const paid = (await pay(system, buyer, order.id)).data.payOrder;
      expect(paid).toMatchObject({
        __typename: 'PaymentSuccess',
        payment: { amount: { amount: total } },
      });

      const orderQuery = `query ($id: UUID!) { order(id: $id) {
        shopOrders { id subtotal ${money} items { unitPrice ${money} lineTotal ${money} } }
        history { ${nodes('type reason')} }
        payments { ${nodes(`amount ${money} refunds { status amount ${money} }`)} } } }`;
      const read = async () => (await ask(orderQuery, { id: order.id }, buyer)).order;
      const { shopOrders } = await read();
      const line = { unitPrice: of(unitPrice), lineTotal: of(lineTotal) };
      expect(shopOrders).toContainEqual({
        id: expect.any(String),
        subtotal: of(lineTotal),
        items: [line],
      });

      const first = shopOrders.find((each: { items: object[] }) =>
        JSON.stringify(each.items).includes(`"${unitPrice}"`),
      );
      await ask(cancelShopOrderMutation, { input: { id: first.id, reason: 'OTHER' } });
      const refunded = await eventually(
        read,
        ({ payments: { edges } }) => edges[0].node.refunds[0]?.status === 'COMPLETED',
        refundMaxMs,
      );
      expect(refunded.payments.edges[0].node).toMatchObject({
        amount: of(total),
        refunds: [{ amount: of(lineTotal) }],
      });
      await payments.dashboard(paid.payment.id, 'refund', { amount: byHand });
      const history = await eventually(
        async () => (await read()).history.edges.map(({ node }: { node: object }) => node),
        (entries) => JSON.stringify(entries).includes('at the provider'),
        refundMaxMs,
      );
      expect(history).toContainEqual({
        type: 'REFUND_COMPLETED',
        reason: `${lineTotal} ${currencyCode}`,
      });
      expect(history).toContainEqual({
        type: 'REFUND_COMPLETED',
        reason: `${byHand} ${currencyCode}, at the provider`,
      });
    },
    60_000,
  );
});
