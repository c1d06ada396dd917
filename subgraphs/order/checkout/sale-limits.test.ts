import {
  offerOf,
  openPlacing,
  orderOf,
  type PlacingDatabase,
  saleTermsOf,
} from '../../../tests/harness/placing.js';
import type { SaleTerms } from '../../contracts/shop.js';
import { newId } from '../../shared/ids.js';
import { changeOrders, type OrderChange } from '../order/transitions/change-orders.js';
import type { NewOrder } from './new-order.js';

const placed = { state: 'placed', inCart: false };
const refusedFor = (kind: string, facts: object = {}) => ({
  state: 'refused',
  violations: [expect.objectContaining({ kind, ...facts })],
});
const expired: OrderChange = { to: 'CANCELLED', reason: 'PAYMENT_TIMEOUT' };
const heldUntil = { to: 'HELD', expiresAt: new Date() } as const;

describe('what one customer buys in a sale', () => {
  let database: PlacingDatabase;
  beforeAll(async () => {
    database = await openPlacing();
  });
  afterAll(() => database.close());

  /** An offer in a sale. */
  function inSale(given: Partial<SaleTerms> = {}, more: object = {}) {
    const sale = saleTermsOf(given);
    return { sale, offer: offerOf({ sale, ...more }) };
  }
  type InSale = ReturnType<typeof inSale>;
  const buy = (
    { sale, offer }: InSale,
    quantity = 1,
    { customer = newId(), ...buyer }: { customer?: string; address?: string; phone?: string } = {},
  ) =>
    orderOf(customer, [{ offer, quantity, saleId: sale.id }], {
      buyer: { address: buyer.address ?? null, phone: buyer.phone ?? null },
    });
  const change = async (order: NewOrder, ...changes: OrderChange[]) => {
    for (const each of changes) {
      await changeOrders(database.orm.em.fork(), [{ order, change: each }]);
    }
  };
  const purchasesOf = (customerId: string) =>
    database.rows(
      'select units, expired_orders as expired from sale_purchase where customer_id = $1',
      [customerId],
    );

  it('has the price of the sale, and names the sale and the time of the decision', async () => {
    const { sale, offer } = inSale();
    const order = orderOf(newId(), [
      { offer, quantity: 2, saleId: sale.id },
      { offer, quantity: 1 },
    ]);
    expect(await database.place(order)).toEqual(placed);
    const lines = await database.rows(
      `select unit_price_amount::float as price, quantity, sale_id as sale, decided_at as at
       from order_item where customer_id = $1 order by quantity`,
      [order.customerId],
    );
    const at = new Date(offer.decidedAt as string);
    expect(lines).toEqual([
      { price: 10, quantity: 1, sale: null, at },
      { price: 7, quantity: 2, sale: sale.id, at },
    ]);
    const total = 'select total_amount::float as total from customer_order where id = $1';
    expect(await database.rows(total, [order.id])).toEqual([{ total: 24 }]);
    expect(await database.heldBy(order.customerId)).toEqual({
      orders: 1,
      units: { [offer.id]: 3 },
    });
  });

  it('is at most the limit of the sale, in units that are held or paid for', async () => {
    const [of, customer] = [inSale({ limitPerCustomer: 2 }), newId()];
    const facts = { offerId: of.offer.id, saleId: of.sale.id, limit: 2 };
    const [first, second] = [buy(of, 1, { customer }), buy(of, 1, { customer })];
    expect(await database.place(first)).toEqual(placed);
    expect(await database.place(buy(of, 2, { customer }))).toEqual(
      refusedFor('SALE_PURCHASES', { ...facts, counted: 1 }),
    );
    expect(await database.place(second)).toEqual(placed);
    await change(first, heldUntil, { to: 'CONFIRMED' });
    await change(second, { to: 'CANCELLED', reason: 'PAYMENT_FAILED' });
    expect(await purchasesOf(customer)).toEqual([{ units: 1, expired: 0 }]);
    expect(await database.place(buy(of, 2, { customer }))).toMatchObject({ state: 'refused' });
    expect(await database.place(buy(of, 1, { customer }))).toEqual(placed);
    expect(await purchasesOf(customer)).toEqual([{ units: 2, expired: 0 }]);
  });

  it('is limited by the purchase limit of the offer as well', async () => {
    const [of, customer] = [inSale({ limitPerCustomer: 3 }, { purchaseLimit: 2 }), newId()];
    expect(await database.place(orderOf(customer, [{ offer: of.offer, quantity: 2 }]))).toEqual(
      placed,
    );
    expect(await database.place(buy(of, 1, { customer }))).toEqual(refusedFor('PURCHASES'));
    expect(await purchasesOf(customer)).toEqual([]);
  });

  it('is nothing more after two holds that expired unpaid, in this sale of this offer only', async () => {
    const [of, customer] = [inSale(), newId()];
    for (let n = 0; n < 2; n++) {
      const order = buy(of, 1, { customer });
      expect(await database.place(order)).toEqual(placed);
      await change(order, heldUntil, expired);
    }
    expect(await purchasesOf(customer)).toEqual([{ units: 0, expired: 2 }]);
    const third = buy(of, 1, { customer });
    expect(await database.place(third)).toEqual(refusedFor('EXPIRED_ORDERS', { counted: 2 }));
    const other = { sale: of.sale, offer: offerOf({ sale: of.sale }) };
    expect(await database.place(buy(other, 1, { customer }))).toEqual(placed);
    expect(await database.place(buy(of))).toEqual(placed);
  });

  it('does not count a hold that was never recorded, nor one that was cancelled, as expired', async () => {
    const [of, customer] = [inSale(), newId()];
    const [lost, cancelled] = [buy(of, 1, { customer }), buy(of, 1, { customer })];
    for (const order of [lost, cancelled]) await database.place(order);
    await change(lost, expired);
    await change(cancelled, heldUntil, { to: 'CANCELLED', reason: 'BY_CUSTOMER' });
    expect(await purchasesOf(customer)).toEqual([]);
  });

  it('is shipped to one address for at most three customers’ worth', async () => {
    const [of, address] = [inSale({ limitPerCustomer: 2 }), newId()];
    const orders = [2, 2, 2].map((units) => buy(of, units, { address }));
    expect(await Promise.all(orders.map((order, n) => database.place(order, n)))).toEqual(
      orders.map(() => placed),
    );
    const facts = { limit: 6, counted: 6 };
    expect(await database.place(buy(of, 1, { address }))).toEqual(refusedFor('ADDRESS', facts));
    await change(orders[0] as NewOrder, { to: 'CANCELLED', reason: 'BY_CUSTOMER' });
    expect(await database.place(buy(of, 2, { address }))).toEqual(placed);
    expect(
      await database.rows('select units from sale_address where address = $1', [address]),
    ).toEqual([{ units: 6 }]);
  });

  it('leaves no counter of 0 units after a refusal or an order that ended, but holds that expired', async () => {
    const [of, customer, address] = [inSale({ limitPerCustomer: 2 }), newId(), newId()];
    const counters = async () => [
      await purchasesOf(customer),
      await database.rows('select units from sale_address where address = $1', [address]),
    ];
    const bought = (units: number) => buy(of, units, { customer, address });
    expect(await database.place(bought(3))).toEqual(refusedFor('SALE_PURCHASES'));
    expect(await counters()).toEqual([[], []]);
    const [first, second] = [bought(1), bought(1)];
    for (const order of [first, second]) await database.place(order);
    await change(first, { to: 'CANCELLED', reason: 'BY_CUSTOMER' });
    expect(await counters()).toEqual([[{ units: 1, expired: 0 }], [{ units: 1 }]]);
    await change(second, heldUntil, expired);
    expect(await counters()).toEqual([[{ units: 0, expired: 1 }], []]);
    expect(await database.place(bought(3))).toEqual(refusedFor('SALE_PURCHASES'));
    expect(await counters()).toEqual([[{ units: 0, expired: 1 }], []]);
  });

  it('never exceeds the limit of an address in parallel orders of many customers, by two processes', async () => {
    const [of, address] = [inSale({ limitPerCustomer: 1 }), newId()];
    const orders = Array.from({ length: 30 }, () => buy(of, 1, { address }));
    const outcomes = await Promise.all(orders.map((order, n) => database.place(order, n)));
    expect(outcomes.filter(({ state }) => state === 'placed')).toHaveLength(3);
    expect(outcomes.filter(({ state }) => state === 'refused')).toHaveLength(27);
  });

  it('is bought with a phone number by one account only, also at the same time', async () => {
    const [of, phone] = [inSale({ eligibility: 'PROVEN_PHONE' }), newId()];
    const orders = Array.from({ length: 10 }, () => buy(of, 1, { phone }));
    const outcomes = await Promise.all(orders.map((order, n) => database.place(order, n)));
    const first = orders.filter((_, n) => outcomes[n]?.state === 'placed');
    expect(first).toHaveLength(1);
    expect(outcomes.filter(({ state }) => state === 'refused')).toHaveLength(9);
    const customer = first[0]?.customerId as string;
    expect(await database.place(buy(of, 1, { customer, phone }))).toEqual(placed);
    const another = inSale({ eligibility: 'PROVEN_PHONE' });
    expect(await database.place(buy(another, 1, { phone }))).toEqual(placed);
  });

  it('leaves the phone number free if its first order is refused', async () => {
    const of = inSale({ eligibility: 'PROVEN_PHONE', limitPerCustomer: 1 });
    const phone = newId();
    expect(await database.place(buy(of, 2, { phone }))).toEqual(refusedFor('SALE_PURCHASES'));
    expect(await database.place(buy(of, 1, { phone }))).toEqual(placed);
  });

  it('keeps the phone number of an order that is placed again under its key, at the limit of open orders', async () => {
    const of = inSale({ eligibility: 'PROVEN_PHONE' });
    const [customer, phone] = [newId(), newId()];
    const orders = [1, 2, 3].map(() => buy(of, 1, { customer, phone }));
    for (const order of orders) expect(await database.place(order)).toEqual(placed);
    expect(await database.place(orders[0] as NewOrder)).toEqual({ state: 'exists' });
    expect(await database.place(buy(of, 1, { phone }))).toEqual(refusedFor('PHONE'));
    expect(await purchasesOf(customer)).toEqual([{ units: 3, expired: 0 }]);
    const claims =
      'select customer_id as customer, order_id as id from sale_phone where phone = $1';
    expect(await database.rows(claims, [phone])).toEqual([{ customer, id: orders[0]?.id }]);
  });

  it('is not placed by a decision of shop that is older than 5 s', async () => {
    const { sale, offer } = inSale();
    const read = (msAgo: number) => ({ ...offer, readAtMs: performance.now() - msAgo });
    const order = (msAgo: number) =>
      orderOf(newId(), [{ offer: read(msAgo), quantity: 1, saleId: sale.id }]);
    expect(await database.place(order(5100))).toEqual({ state: 'stale' });
    expect(await database.place(order(0))).toEqual(placed);
    const regular = orderOf(newId(), [
      { offer: { ...offerOf(), readAtMs: performance.now() - 5100 }, quantity: 1 },
    ]);
    expect(await database.place(regular)).toEqual(placed);
  });
});
