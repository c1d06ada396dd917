import { randomUUID } from 'node:crypto';
import { address, openShop, type Person, registerPerson } from '../harness/people.js';
import { retry } from '../harness/retry.js';
import { startSystem, type TestSystem } from '../harness/system.js';
import { eventually } from '../harness/wait.js';
import { openSaleEvent } from './open-sale-event.js';
import { openSaleClock, type SaleClock } from './sale-clock.js';

const cartFields = `total { amount } items {
  offer { id } saleId quantity problem unitPrice { amount } lineTotal { amount } }`;
const cartResult = `__typename ... on Cart { ${cartFields} }
  ... on SaleNotOpen { saleId startsAt } ... on InsufficientStock { lines { requested available } }
  ... on PurchaseLimitExceeded { lines { saleId limit already } }`;
const checkoutMutation = `mutation ($input: CheckoutInput!) { checkout(input: $input) {
  __typename
  ... on CheckoutSuccess { order { id status total { amount } shopOrders {
    items { saleId quantity unitPrice { amount } } } } }
  ... on SaleNotOpen { saleId startsAt serverTime offer { id } }
} }`;

const units = 20;
const allocation = 5;
const heldUnitsMax = 20;
/** seconds */
const startsIn = 3600;
const lasts = 600;

// biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects
type Reply = any;

describe('a cart with a line of a sale, through the router', () => {
  let system: TestSystem;
  let clock: SaleClock;
  let vendor: Person;
  let customer: Person;
  beforeAll(async () => {
    system = await startSystem({
      OPEN_ORDERS_MAX: '3',
      OPEN_UNITS_PER_OFFER_MAX: String(heldUnitsMax),
    });
    clock = await openSaleClock(system.databases);
    vendor = await registerPerson(system, 'VENDOR');
  });
  beforeEach(async () => {
    customer = await registerPerson(system);
  });
  afterEach(() => system.expectInvariants());
  afterAll(async () => {
    await clock.close();
    await system.stop();
  });

  async function must(query: string, variables: object = {}): Promise<Reply> {
    const { data, errors } = await retry(() => system.graphql(query, variables, customer.token));
    if (errors) throw new Error(JSON.stringify(errors));
    return Object.values(data)[0];
  }
  const cart = () => must(`{ cart { ${cartFields} } }`);
  const add = (offerId: string, quantity: number, saleId?: string) =>
    must(`mutation ($input: AddToCartInput!) { addToCart(input: $input) { ${cartResult} } }`, {
      input: { offerId, saleId, quantity },
    });
  const remove = (offerId: string, saleId?: string) =>
    must(
      `mutation ($offerId: UUID!, $saleId: UUID) {
         removeFromCart(offerId: $offerId, saleId: $saleId) { ${cartFields} } }`,
      { offerId, saleId },
    );
  const checkoutWith = (more: object) => {
    const input = { idempotencyKey: randomUUID(), shippingAddress: address, ...more };
    return must(checkoutMutation, { input });
  };
  const checkoutCart = (expectedTotal?: string) => checkoutWith({ expectedTotal });
  const ordersOf = ({ id }: Person) =>
    clock.rows('order', 'select from customer_order where customer_id = $1', [id]);

  /** An offer at 10.00, and 4.00 in a sale that has not started. */
  async function openSale(limitPerCustomer?: number) {
    const { shopId, offerId } = await openShop(system, vendor, [units], '10.00');
    const lines = [
      { offerId, price: '4.00', allocation, ...(limitPerCustomer && { limitPerCustomer }) },
    ];
    const sale = await openSaleEvent(system, vendor, shopId, { startsIn, lasts, lines });
    return { offerId, saleId: sale.id, startsAt: sale.startsAt.toISOString() };
  }
  /** The same offer, two units at the regular price and one in the sale. */
  async function fillCart({ offerId, saleId }: { offerId: string; saleId: string }) {
    await add(offerId, 2);
    return add(offerId, 1, saleId);
  }
  const regularLine = { saleId: null, quantity: 2, unitPrice: { amount: '10.00' } };
  const saleLine = (saleId: string) => ({ saleId, quantity: 1, unitPrice: { amount: '4.00' } });

  it('has it before the start, and keeps it when the checkout is refused because the sale is not open', async () => {
    const sale = await openSale();
    const filled = await fillCart(sale);
    expect(filled).toMatchObject({
      __typename: 'Cart',
      total: { amount: '24.00' },
      items: [
        { ...regularLine, problem: null },
        { ...saleLine(sale.saleId), problem: 'SALE_NOT_OPEN', lineTotal: { amount: '4.00' } },
      ],
    });
    const before = await cart();
    const refused = await checkoutCart();
    expect(refused).toEqual({
      __typename: 'SaleNotOpen',
      saleId: sale.saleId,
      startsAt: sale.startsAt,
      serverTime: expect.any(String),
      offer: { id: sale.offerId },
    });
    expect(refused.serverTime < sale.startsAt).toBe(true);
    expect(await cart()).toEqual(before);
    expect(await ordersOf(customer)).toEqual([]);
    expect(await clock.unitsOf(sale.saleId)).toEqual({ allocated: allocation, held: 0, sold: 0 });
  });

  it('is checked out once the sale has started, each line at its price, and is as before when the hold expires', async () => {
    const sale = await openSale();
    await fillCart(sale);
    await clock.start(sale.saleId);
    const before = await cart();
    expect(before.items.map(({ problem }: Reply) => problem)).toEqual([null, null]);

    const { __typename, order } = await checkoutCart('24.00');
    expect([__typename, order?.status, order?.total.amount]).toEqual([
      'CheckoutSuccess',
      'PENDING',
      '24.00',
    ]);
    const [{ items }] = order.shopOrders;
    expect(items).toHaveLength(2);
    expect(items).toEqual(expect.arrayContaining([regularLine, saleLine(sale.saleId)]));
    expect((await cart()).items).toEqual([]);
    expect(await clock.unitsOf(sale.saleId)).toMatchObject({ held: 1, sold: 0 });

    await clock.expireHold(order.id);
    const back = await eventually(cart, (now) => now.items.length === 2);
    const inOrder = (lines: Reply[]) => lines.toSorted((a, b) => a.quantity - b.quantity);
    expect(inOrder(back.items)).toEqual(inOrder(before.items));
    expect(back.total).toEqual(before.total);
    expect(await clock.unitsOf(sale.saleId)).toMatchObject({ held: 0, sold: 0 });
  });

  it('loses the line of the sale, or the one at the regular price, when only that is removed', async () => {
    const sale = await openSale();
    await fillCart(sale);
    expect(await remove(sale.offerId, sale.saleId)).toMatchObject({
      total: { amount: '20.00' },
      items: [regularLine],
    });
    // A line that is not there is ignored.
    expect((await remove(sale.offerId, sale.saleId)).items).toHaveLength(1);
    await add(sale.offerId, 1, sale.saleId);
    expect(await remove(sale.offerId)).toMatchObject({
      total: { amount: '4.00' },
      items: [saleLine(sale.saleId)],
    });
  });

  it('does not take more units than the sale has, nor regular ones that are set aside', async () => {
    const sale = await openSale();
    const refused = (requested: number, available: number) => ({
      __typename: 'InsufficientStock',
      lines: [{ requested, available }],
    });
    expect(await add(sale.offerId, allocation + 1, sale.saleId)).toEqual(
      refused(allocation + 1, allocation),
    );
    const regular = units - allocation;
    expect(await add(sale.offerId, regular + 1)).toEqual(refused(regular + 1, regular));
    expect((await cart()).items).toEqual([]);
  });

  it('shows and refuses units beyond what the sale allows each customer, those of earlier orders included', async () => {
    const sale = await openSale(2);
    const { offerId, saleId } = sale;
    const refused = (already: number) => ({
      __typename: 'PurchaseLimitExceeded',
      lines: [{ saleId, limit: 2, already }],
    });
    expect(await add(offerId, 3, saleId)).toEqual(refused(0));
    await clock.start(saleId);
    // A regular line of the offer has no part in the limit of the sale.
    await add(offerId, 3);
    await add(offerId, 2, saleId);
    expect((await cart()).items.map(({ problem }: Reply) => problem)).toEqual([null, null]);
    const one = { items: [{ offerId, saleId, quantity: 1 }] };
    expect(await checkoutWith(one)).toMatchObject({ __typename: 'CheckoutSuccess' });
    // The unit of the order was taken from the cart, which has the other one.
    expect((await cart()).items).toMatchObject([
      { saleId: null, problem: null },
      { saleId, quantity: 1, problem: null },
    ]);
    expect(await add(offerId, 1, saleId)).toEqual(refused(1));
    expect(await checkoutWith(one)).toMatchObject({ __typename: 'CheckoutSuccess' });
    expect(await add(offerId, 1, saleId)).toEqual(refused(2));
    expect(await checkoutWith(one)).toMatchObject({ __typename: 'PurchaseLimitExceeded' });
  });

  it('shows the problem of a line that was added before the sale had a limit', async () => {
    const sale = await openSale();
    const { offerId, saleId } = sale;
    await add(offerId, 2, saleId);
    const offers = [{ offerId, price: '4.00', allocation, limitPerCustomer: 1 }];
    const limit = `mutation ($input: SetSaleOffersInput!) { setSaleOffers(input: $input) { __typename } }`;
    const send = () => system.graphql(limit, { input: { saleId, offers } }, vendor.token);
    expect((await retry(send)).data.setSaleOffers).toEqual({ __typename: 'SaleEvent' });
    await clock.start(saleId);
    expect((await cart()).items).toMatchObject([{ saleId, problem: 'LIMIT_EXCEEDED' }]);
    expect(await checkoutCart()).toMatchObject({ __typename: 'PurchaseLimitExceeded' });
    expect((await cart()).items).toHaveLength(1);
  });

  it('shows that as much is held unpaid as is allowed, and again that it can be bought once that is not', async () => {
    const problems = async () => (await cart()).items.map(({ problem }: Reply) => problem);
    const { offerId } = await openShop(system, vendor, [50]);
    const other = await openShop(system, vendor, [50]);
    await add(offerId, heldUnitsMax - 2);
    await add(other.offerId, 1);
    const bought = await checkoutWith({ items: [{ offerId: other.offerId, quantity: 3 }] });
    expect(await problems()).toEqual([null]);
    await add(other.offerId, heldUnitsMax - 3);
    expect(await problems()).toEqual([null, null]);
    await add(other.offerId, 1);
    // Units of unpaid orders count with those of all lines of the offer.
    expect(await problems()).toEqual([null, 'HOLD_LIMIT_EXCEEDED']);
    expect(await checkoutCart()).toMatchObject({ __typename: 'HoldLimitExceeded' });
    const one = { items: [{ offerId, quantity: 1 }] };
    const more = await checkoutWith(one);
    const last = await checkoutWith(one);
    expect(await problems()).toEqual(['HOLD_LIMIT_EXCEEDED', 'HOLD_LIMIT_EXCEEDED']);
    expect(await checkoutWith(one)).toMatchObject({ __typename: 'HoldLimitExceeded' });
    for (const { order } of [bought, more, last])
      await must('mutation ($id: UUID!) { cancelOrder(id: $id) { __typename } }', { id: order.id });
    expect(await problems()).toEqual([null, null]);
  });

  it('shows that two holds of the offer in its sale expired unpaid', async () => {
    const sale = await openSale();
    const { offerId, saleId } = sale;
    await clock.start(saleId);
    for (let n = 1; n <= 2; n++) {
      const { order } = await checkoutWith({ items: [{ offerId, saleId, quantity: 1 }] });
      await clock.expireHold(order.id);
      const status = 'query ($id: UUID!) { order(id: $id) { status } }';
      await eventually(
        () => must(status, { id: order.id }),
        (now) => now.status === 'CANCELLED',
      );
      await add(offerId, 1, saleId);
      const expected = n === 2 ? 'HOLD_LIMIT_EXCEEDED' : null;
      expect((await cart()).items).toMatchObject([{ saleId, problem: expected }]);
      await remove(offerId, saleId);
    }
    await add(offerId, 1);
    expect((await cart()).items).toMatchObject([{ saleId: null, problem: null }]);
  });

  it('keeps a line of a sale that has ended, which is refused until it is removed', async () => {
    const sale = await openSale();
    await fillCart(sale);
    await clock.start(sale.saleId);
    await clock.end(sale.saleId, 1000);
    expect((await cart()).items).toMatchObject([
      { ...regularLine, problem: null },
      { ...saleLine(sale.saleId), problem: 'SALE_NOT_OPEN' },
    ]);
    expect(await checkoutCart()).toMatchObject({ __typename: 'SaleNotOpen', startsAt: null });
    expect(await ordersOf(customer)).toEqual([]);
    expect(await add(sale.offerId, 1, sale.saleId)).toMatchObject({ __typename: 'SaleNotOpen' });
    await remove(sale.offerId, sale.saleId);
    expect(await checkoutCart('20.00')).toMatchObject({ __typename: 'CheckoutSuccess' });
  });
});
