import pg from 'pg';
import {
  defaultLimits,
  offerOf,
  openPlacing,
  orderOf,
  type PlacingDatabase,
} from '../../../tests/harness/placing.js';
import { someoneWaits } from '../../../tests/harness/wait.js';
import { newId } from '../../shared/ids.js';
import { changeOrders, type OrderChange } from '../order/transitions/change-orders.js';
import type { NewOrder } from './new-order.js';
import { placeOrders } from './place-order.js';

const placed = { state: 'placed', inCart: false };
const open = { kind: 'OPEN_ORDERS', offerId: null, saleId: null, counted: 3, limit: 3 };

describe('what one customer holds unpaid', () => {
  let database: PlacingDatabase;
  beforeAll(async () => {
    database = await openPlacing();
  });
  afterAll(() => database.close());

  const one = (customerId: string, quantity = 1, offer = offerOf()) =>
    orderOf(customerId, [{ offer, quantity }]);
  const change = (orders: readonly NewOrder[], to: OrderChange) =>
    changeOrders(
      database.orm.em.fork(),
      orders.map((order) => ({ order, change: to })),
    );
  async function expectCounted(customerId: string) {
    const held = await database.heldBy(customerId);
    expect(held).toEqual(await database.pendingOf(customerId));
    return held;
  }

  it('is three orders: a fourth is refused and changes nothing', async () => {
    const [customer, offer] = [newId(), offerOf()];
    for (let n = 0; n < 3; n++)
      expect(await database.place(one(customer, 1, offer))).toEqual(placed);
    const before = await database.heldBy(customer);
    const fourth = one(customer, 1, offer);
    expect(await database.place(fourth)).toEqual({ state: 'refused', violations: [open] });
    expect(await database.heldBy(customer)).toEqual(before);
    expect(
      await database.rows('select units from purchase where customer_id = $1', [customer]),
    ).toEqual([{ units: '3' }]);
    expect(await database.rows('select from customer_order where id = $1', [fourth.id])).toEqual(
      [],
    );
    await expectCounted(customer);
  });

  it('is 20 units of an offer, over all of its orders, unless the offer allows more', async () => {
    const [customer, offer] = [newId(), offerOf()];
    const more = { ...offer, holdLimit: 21 };
    const over = (counted: number, limit = 20) => ({
      state: 'refused',
      violations: [{ kind: 'OPEN_UNITS', offerId: offer.id, saleId: null, counted, limit }],
    });
    expect(await database.place(one(customer, 21, offer))).toEqual(over(0));
    expect(await database.place(one(customer, 18, offer))).toEqual(placed);
    expect(await database.place(one(customer, 3, offer))).toEqual(over(18));
    expect(await database.place(one(customer, 4, more))).toEqual(over(18, 21));
    expect(await database.place(one(customer, 3, more))).toEqual(placed);
    expect(await database.place(one(customer, 20))).toEqual(placed);
    expect((await expectCounted(customer)).units[offer.id]).toBe(21);
  });

  it('is less at once when an order is paid, declined, short or expired', async () => {
    const customer = newId();
    const ends: OrderChange[] = [
      { to: 'CONFIRMED' },
      { to: 'CANCELLED', reason: 'PAYMENT_FAILED' },
      { to: 'CANCELLED', reason: 'OUT_OF_STOCK', unlessHeld: true },
      { to: 'CANCELLED', reason: 'PAYMENT_TIMEOUT' },
    ];
    for (const end of ends) {
      const orders = [one(customer), one(customer, 2), one(customer, 3)];
      for (const order of orders) expect(await database.place(order)).toEqual(placed);
      if (end.to === 'CONFIRMED') await change(orders, { to: 'HELD', expiresAt: new Date() });
      const fourth = one(customer);
      expect(await database.place(fourth)).toMatchObject({ state: 'refused' });
      expect(await change(orders.slice(0, 1), end)).toEqual([true]);
      expect(await database.place(fourth)).toEqual(placed);
      await change([fourth], { to: 'HELD', expiresAt: new Date() });
      expect(await change([...orders, fourth], end)).toEqual([
        false,
        true,
        true,
        !('unlessHeld' in end),
      ]);
      await change([fourth], { to: 'CANCELLED', reason: 'ABANDONED' });
      expect(await expectCounted(customer)).toEqual({ orders: 0, units: {} });
    }
  });

  it('counts an order once, however often it is placed under its key', async () => {
    const [customer, order] = [newId(), one(newId())];
    const same = { ...order, customerId: customer };
    const outcomes = await Promise.all([0, 1, 0, 1].map((n) => database.place(same, n)));
    expect(outcomes.filter(({ state }) => state === 'placed')).toHaveLength(1);
    expect(outcomes.filter(({ state }) => state === 'exists')).toHaveLength(3);
    expect((await expectCounted(customer)).orders).toBe(1);
  });

  it('says that an order exists, not that it exceeds a limit, when it is placed again at the limit', async () => {
    const customer = newId();
    const orders = [one(customer), one(customer), one(customer)];
    for (const order of orders) await database.place(order);
    expect(await database.place(orders[0] as NewOrder)).toEqual({ state: 'exists' });
    expect((await expectCounted(customer)).orders).toBe(3);
  });

  it('never exceeds the limits in 50 parallel orders of different SKUs, placed by two processes', async () => {
    const customer = newId();
    const orders = Array.from({ length: 50 }, () => one(customer));
    const outcomes = await Promise.all(orders.map((order, n) => database.place(order, n)));
    expect(outcomes.filter(({ state }) => state === 'placed')).toHaveLength(3);
    expect(outcomes.filter(({ state }) => state === 'refused')).toHaveLength(47);
    expect((await expectCounted(customer)).orders).toBe(3);
  });

  it('never exceeds the units of one offer in parallel orders, placed by two processes', async () => {
    const many = await openPlacing({ openOrdersMax: 100, openUnitsMax: 20, addressBuyersMax: 3 });
    try {
      const [customer, offer] = [newId(), offerOf()];
      const orders = Array.from({ length: 20 }, () => one(customer, 3, offer));
      const outcomes = await Promise.all(orders.map((order, n) => many.place(order, n)));
      expect(outcomes.filter(({ state }) => state === 'placed')).toHaveLength(6);
      expect(await many.heldBy(customer)).toEqual({ orders: 6, units: { [offer.id]: 18 } });
    } finally {
      await many.close();
    }
  });

  it('counts what another process counted for the first time while an order waited for it', async () => {
    const [customer, offer] = [newId(), offerOf()];
    const { client, url } = database;
    const observer = new pg.Client({ connectionString: url });
    await observer.connect();
    await client.query('begin');
    await client.query(
      `insert into customer_hold (customer_id, open_orders, open_units) values ($1, 1, $2)`,
      [customer, { [offer.id]: 20 }],
    );
    const em = database.orm.em.fork();
    const placing = placeOrders(em, [one(customer, 1, offer), one(newId())], defaultLimits);
    await someoneWaits(observer);
    await client.query('commit');
    await observer.end();
    const violations = [{ ...open, kind: 'OPEN_UNITS', offerId: offer.id, counted: 20, limit: 20 }];
    expect(await placing).toEqual([{ state: 'refused', violations }, placed]);
    expect((await database.heldBy(customer)).orders).toBe(1);
  });

  it('is counted for one order of a group: those that share a counter are left to the next group', async () => {
    const customer = newId();
    const group = [one(customer), one(customer), one(newId())];
    const outcomes = await placeOrders(database.orm.em.fork(), group, defaultLimits);
    expect(outcomes).toEqual([placed, { state: 'next' }, placed]);
    expect((await expectCounted(customer)).orders).toBe(1);
  });

  it('is the same after orders were placed, paid and cancelled at the same time', async () => {
    const customers = Array.from({ length: 4 }, newId);
    const shared = offerOf();
    const work = customers.flatMap((customer, c) =>
      Array.from({ length: 6 }, async (_, n) => {
        const order = one(customer, 1 + (n % 3), n % 2 ? shared : offerOf());
        const { state } = await database.place(order, c + n);
        if (state === 'placed' && n % 3 > 0) {
          if (n % 3 === 2) await change([order], { to: 'HELD', expiresAt: new Date() });
          await change(
            [order],
            n % 3 === 2 ? { to: 'CONFIRMED' } : { to: 'CANCELLED', reason: 'BY_CUSTOMER' },
          );
        }
      }),
    );
    await Promise.all(work);
    for (const customer of customers) await expectCounted(customer);
  });

  it('is decided for each order of a group: one that is refused leaves the others as they are', async () => {
    const [full, offer] = [newId(), offerOf({ purchaseLimit: 2 })];
    for (let n = 0; n < 3; n++) await database.place(one(full));
    const others = Array.from({ length: 10 }, () => one(newId(), 2, offer));
    const tooMany = one(newId(), 3, offer);
    const group = [one(full), ...others, tooMany];
    const outcomes = await Promise.all(group.map((order) => database.place(order)));
    expect(outcomes.map(({ state }) => state)).toEqual([
      'refused',
      ...others.map(() => 'placed'),
      'refused',
    ]);
    expect(outcomes.at(-1)).toMatchObject({
      violations: [{ kind: 'PURCHASES', offerId: offer.id, counted: 0, limit: 2 }],
    });
  });
});
