import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import pg from 'pg';
import { databaseSchema as orderSchema } from '../subgraphs/order/mikro-orm.config.js';
import { findOrderKey } from '../subgraphs/order/order/find-order-key.js';
import { endPending } from '../subgraphs/order/order/transitions/end-pending.js';
import type { RowKey } from '../subgraphs/order/row-key.js';
import { connect } from '../subgraphs/shared/database/connect.js';
import { lockKey } from '../subgraphs/warehouse/reservation/dispatcher/stock-locks.js';

import {
  address,
  checkout,
  checkoutOnce,
  checkoutWith,
  openShop,
  type Person,
  pay,
  registerPerson,
} from './harness/people.js';
import { retry } from './harness/retry.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { eventually } from './harness/wait.js';

describe('checkout, through the router', () => {
  let system: TestSystem;
  let vendor: Person;
  beforeAll(async () => {
    system = await startSystem();
    vendor = await registerPerson(system, 'VENDOR');
  });
  afterEach(() => system.expectInvariants());
  afterAll(() => system.stop());

  const ordersOf = async ({ token }: Person): Promise<{ id: string; status: string }[]> => {
    const { data } = await system.graphql(
      '{ orders(first: 100) { edges { node { id status cancelReason } } } }',
      {},
      token,
    );
    return data.orders.edges.map(({ node }: { node: object }) => node);
  };
  const cancel = ({ token }: Person, id: string) =>
    system.graphql('mutation ($id: UUID!) { cancelOrder(id: $id) { __typename } }', { id }, token);

  describe('purchase limits', () => {
    it('apply to all orders of a customer, and no order is placed beyond them', async () => {
      const customer = await registerPerson(system);
      const { offerId } = await openShop(system, vendor, [50], '10.00', 3);
      const first = await checkout(system, customer, [{ offerId, quantity: 2 }]);
      expect(first.data.checkout.__typename).toBe('CheckoutSuccess');
      await pay(system, customer, first.data.checkout.order.id);
      const second = await checkout(system, customer, [{ offerId, quantity: 2 }]);
      expect(second.data.checkout).toMatchObject({
        __typename: 'PurchaseLimitExceeded',
        lines: [{ offer: { id: offerId }, limit: 3, already: 2 }],
      });
      expect(await ordersOf(customer)).toHaveLength(1);
      const third = await checkout(system, customer, [{ offerId, quantity: 1 }]);
      expect(third.data.checkout.__typename).toBe('CheckoutSuccess');
    });

    it('let 50 parallel checkouts of one customer buy 2 units under a limit of 2', async () => {
      const customer = await registerPerson(system);
      const { offerId } = await openShop(system, vendor, [100], '10.00', 2);
      const replies = await Promise.all(
        Array.from({ length: 50 }, () => checkout(system, customer, [{ offerId, quantity: 1 }])),
      );
      const kinds = replies.map(({ data }) => data.checkout.__typename).sort();
      expect(kinds.slice(0, 2)).toEqual(['CheckoutSuccess', 'CheckoutSuccess']);
      expect(new Set(kinds.slice(2))).toEqual(new Set(['PurchaseLimitExceeded']));
      expect(await ordersOf(customer)).toHaveLength(2);
    });

    it('do not count cancelled orders, and a stored refusal stays the same', async () => {
      const customer = await registerPerson(system);
      const { offerId, sku, warehouseIds } = await openShop(system, vendor, [2], '10.00', 3);
      const short = await checkout(system, customer, [{ offerId, quantity: 3 }]);
      expect(short.data.checkout.__typename).toBe('InsufficientStock');
      const { data } = await checkout(system, customer, [{ offerId, quantity: 2 }]);
      const receive =
        'mutation ($input: ReceiveStockInput!) { receiveStock(input: $input) { __typename } }';
      const input = { warehouseId: warehouseIds[0], sku, quantity: 2, reference: 'more' };
      await system.graphql(receive, { input }, vendor.token);
      const refused = () => checkout(system, customer, [{ offerId, quantity: 2 }], 'refused');
      const before = await refused();
      expect(before.data.checkout.__typename).toBe('PurchaseLimitExceeded');
      await cancel(customer, data.checkout.order.id);
      const again = await checkout(system, customer, [{ offerId, quantity: 2 }]);
      expect(again.data.checkout.__typename).toBe('CheckoutSuccess');
      expect((await refused()).data).toEqual(before.data);
    });

    it('count what was bought before they were set', async () => {
      const customer = await registerPerson(system);
      const { offerId, shopId, sku } = await openShop(system, vendor, [50]);
      await checkout(system, customer, [{ offerId, quantity: 2 }]);
      await system.graphql(
        'mutation ($input: SetOfferInput!) { setOffer(input: $input) { id } }',
        { input: { shopId, sku, price: '10.00', purchaseLimit: 2 } },
        vendor.token,
      );
      const { data } = await checkout(system, customer, [{ offerId, quantity: 1 }]);
      expect(data.checkout.lines).toMatchObject([{ limit: 2, already: 2 }]);
      const other = await checkout(system, vendor, [{ offerId, quantity: 2 }]);
      expect(other.data.checkout.__typename).toBe('CheckoutSuccess');
    });
  });

  describe('from the cart', () => {
    const add = ({ token }: Person, offerId: string, quantity: number) =>
      system.graphql(
        'mutation ($input: AddToCartInput!) { addToCart(input: $input) { __typename } }',
        { input: { offerId, quantity } },
        token,
      );
    const quantities = async ({ token }: Person): Promise<number[]> => {
      const { data } = await system.graphql('{ cart { items { quantity } } }', {}, token);
      return data.cart.items.map(({ quantity }: { quantity: number }) => quantity);
    };

    it('orders all lines, and the same key gets the same answer though the cart is empty then', async () => {
      const customer = await registerPerson(system);
      const [one, other] = [
        await openShop(system, vendor, [50], '1.10'),
        await openShop(system, vendor, [50], '2.20'),
      ];
      await add(customer, one.offerId, 1);
      await add(customer, other.offerId, 2);
      const input = { idempotencyKey: 'cart', shippingAddress: address };
      const { data } = await checkoutWith(system, customer, input);
      expect(data.checkout.order.total.amount).toBe('5.50');
      expect(await quantities(customer)).toEqual([]);
      const again = await checkoutWith(system, customer, input);
      expect(again.data.checkout.order.id).toBe(data.checkout.order.id);
      await cancel(customer, data.checkout.order.id);
      expect(await quantities(customer)).toEqual([1, 2]);
    });

    it('removes the ordered units once, though two processes get the reservation', async () => {
      const customer = await registerPerson(system);
      const { offerId } = await openShop(system, vendor, [50]);
      await add(customer, offerId, 5);
      const placed = () => checkout(system, customer, [{ offerId, quantity: 2 }], 'twice');
      const { order } = (await placed()).data.checkout;
      // The second process claims the key of a slow one that has not stored its outcome.
      const database = new pg.Client({ connectionString: system.databases.order });
      await database.connect();
      await database.query(
        `update idempotency_key set outcome = null, claimed_until = now() - interval '1 s'
         where subject_id = $1`,
        [order.id],
      );
      await database.end();
      const again = (await placed()).data.checkout;
      expect(again).toMatchObject({ __typename: 'CheckoutSuccess', order: { id: order.id } });
      expect(await quantities(customer)).toEqual([3]);
      await cancel(customer, order.id);
      expect(await quantities(customer)).toEqual([5]);
    });

    it('refuses an empty cart, and repeats the refusal for the same key', async () => {
      const customer = await registerPerson(system);
      const input = { idempotencyKey: 'empty', shippingAddress: address };
      const { data } = await checkoutWith(system, customer, input);
      expect(data.checkout.__typename).toBe('CartEmpty');
      const { offerId } = await openShop(system, vendor, [50]);
      await add(customer, offerId, 1);
      expect((await checkoutWith(system, customer, input)).data).toEqual(data);
      expect(await ordersOf(customer)).toEqual([]);
    });

    it('cannot exceed a limit by 50 parallel checkouts of one cart with 50 keys', async () => {
      const customer = await registerPerson(system);
      const { offerId } = await openShop(system, vendor, [500], '10.00', 3);
      await add(customer, offerId, 2);
      const replies = await Promise.all(
        Array.from({ length: 50 }, () => {
          const input = { idempotencyKey: randomUUID(), shippingAddress: address };
          return retry(() => checkoutWith(system, customer, input));
        }),
      );
      const placed = replies.filter(({ data }) => data.checkout.__typename === 'CheckoutSuccess');
      expect(placed).toHaveLength(1);
      expect(await quantities(customer)).toEqual([]);
    });
  });

  describe('the expected total', () => {
    it('guards against a changed price, and the refusal shows the old and the new one', async () => {
      const customer = await registerPerson(system);
      const [same, repriced] = [
        await openShop(system, vendor, [50], '1.00'),
        await openShop(system, vendor, [50], '10.00'),
      ];
      for (const { offerId } of [same, repriced]) {
        await system.graphql(
          'mutation ($input: AddToCartInput!) { addToCart(input: $input) { __typename } }',
          { input: { offerId, quantity: 2 } },
          customer.token,
        );
      }
      await system.graphql(
        'mutation ($input: SetOfferInput!) { setOffer(input: $input) { id } }',
        { input: { shopId: repriced.shopId, sku: repriced.sku, price: '10.05' } },
        vendor.token,
      );
      const input = { shippingAddress: address, expectedTotal: '22' };
      const refused = await checkoutWith(system, customer, { ...input, idempotencyKey: 'k' });
      expect(refused.data.checkout).toMatchObject({
        __typename: 'PriceChanged',
        lines: [
          {
            offer: { id: repriced.offerId },
            oldPrice: { amount: '10.00' },
            newPrice: { amount: '10.05' },
          },
        ],
        expected: { amount: '22.00' },
        actual: { amount: '22.10' },
      });
      expect(await ordersOf(customer)).toEqual([]);
      const reused = await checkoutWith(system, customer, {
        ...input,
        idempotencyKey: 'k',
        expectedTotal: '22.10',
      });
      expect(reused.errors?.[0]?.extensions.code).toBe('IDEMPOTENCY_KEY_REUSED');
      const placed = await checkoutWith(system, customer, { ...input, expectedTotal: '22.10' });
      expect(placed.data.checkout.order.total.amount).toBe('22.10');
    });

    it('applies to given items too, whose earlier price is unknown', async () => {
      const customer = await registerPerson(system);
      const { offerId } = await openShop(system, vendor, [50], '10.00');
      const items = [{ offerId, quantity: 1 }];
      const input = { items, shippingAddress: address, expectedTotal: '9.99' };
      const { data } = await checkoutWith(system, customer, input);
      expect(data.checkout.lines).toEqual([
        { offer: { id: offerId }, oldPrice: null, newPrice: { amount: '10.00' } },
      ]);
      for (const expectedTotal of ['-1', '1.001', '1e3']) {
        const bad = await checkoutWith(system, customer, { ...input, expectedTotal });
        expect(bad.errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
      }
    });
  });

  describe('the address', () => {
    const addAddress = async ({ token }: Person, input: object): Promise<string> => {
      const { data } = await system.graphql(
        'mutation ($input: AddAddressInput!) { addAddress(input: $input) { id } }',
        { input },
        token,
      );
      return data.addAddress.id;
    };

    it('can be a saved one, in its form at the time of the checkout', async () => {
      const customer = await registerPerson(system);
      const { offerId } = await openShop(system, vendor, [50]);
      const addressId = await addAddress(customer, { ...address, state: 'Illinois' });
      const { data } = await checkoutWith(system, customer, {
        items: [{ offerId, quantity: 1 }],
        addressId,
      });
      const shown = await system.graphql(
        '{ orders { edges { node { id shippingAddress { recipient street city zip country } } } } }',
        {},
        customer.token,
      );
      expect(shown.data.orders.edges).toEqual([
        { node: { id: data.checkout.order.id, shippingAddress: address } },
      ]);
    });

    it('must be given exactly once, complete, and the customer’s', async () => {
      const [customer, stranger] = [await registerPerson(system), await registerPerson(system)];
      const { offerId } = await openShop(system, vendor, [50]);
      const items = [{ offerId, quantity: 1 }];
      const codeOf = async (input: object) => {
        const { errors } = await checkoutWith(system, customer, { items, ...input });
        return [errors?.[0]?.extensions.code, Object.keys(errors?.[0]?.extensions.fields ?? {})];
      };
      const addressId = await addAddress(customer, address);
      expect(await codeOf({})).toEqual(['BAD_USER_INPUT', ['input']]);
      expect(await codeOf({ addressId, shippingAddress: address })).toEqual([
        'BAD_USER_INPUT',
        ['input'],
      ]);
      const half = await addAddress(customer, { street: '1 Main St' });
      expect(await codeOf({ addressId: half })).toEqual(['BAD_USER_INPUT', ['input.addressId']]);
      const theirs = await addAddress(stranger, address);
      expect(await codeOf({ addressId: theirs })).toEqual(['NOT_FOUND', []]);
      expect(await ordersOf(customer)).toEqual([]);
    });
  });

  it('a payment method that is too long is refused before anything is reserved', async () => {
    const customer = await registerPerson(system);
    const { offerId } = await openShop(system, vendor, [5]);
    // 50 visible characters, 100 code points in the database.
    const paymentMethod = '\u2764\uFE0F'.repeat(50);
    const items = [{ offerId, quantity: 1 }];
    const input = { idempotencyKey: 'method', shippingAddress: address, items, paymentMethod };
    const { errors } = await checkoutWith(system, customer, input);
    expect(errors?.[0]?.extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      fields: { 'input.paymentMethod': expect.any(String) },
    });
    expect(await ordersOf(customer)).toEqual([]);
  });

  it('a sku that another process has locked does not delay checkouts of other skus', async () => {
    const customer = await registerPerson(system);
    const [locked, free] = [
      await openShop(system, vendor, [50]),
      await openShop(system, vendor, [50]),
    ];
    const redis = new Redis(`${system.redis.url.replace(/\/\d*$/, '')}/2`);
    await redis.set(lockKey(locked.sku), 'another process', 'PX', 60_000);
    let isDone = false;
    const waiting = checkout(system, customer, [{ offerId: locked.offerId, quantity: 1 }]);
    void waiting.then(() => {
      isDone = true;
    });
    for (let n = 0; n < 5; n++) {
      const { data } = await checkout(system, customer, [{ offerId: free.offerId, quantity: 1 }]);
      expect(data.checkout.__typename).toBe('CheckoutSuccess');
      expect(isDone).toBe(false);
    }
    await redis.del(lockKey(locked.sku));
    redis.disconnect();
    expect((await waiting).data.checkout.__typename).toBe('CheckoutSuccess');
  });

  describe('an order whose reservation is delayed', () => {
    /** Makes a checkout wait for the lock of its sku. `answer` unlocks it and returns the result. */
    async function delayed(units: number) {
      const customer = await registerPerson(system);
      const { sku, offerId } = await openShop(system, vendor, [units]);
      const redis = new Redis(`${system.redis.url.replace(/\/\d*$/, '')}/2`);
      await redis.set(lockKey(sku), 'another process', 'PX', 60_000);
      const key = randomUUID();
      const answer = checkoutOnce(system, customer, [{ offerId, quantity: 2 }], key);
      const [order] = await eventually(
        () => rowsOf('order', 'select id from customer_order where customer_id = $1', customer.id),
        ({ length }) => length === 1,
      );
      return {
        orderId: order?.id as string,
        async answer() {
          await redis.del(lockKey(sku));
          redis.disconnect();
          const { data, errors } = await answer;
          return data?.checkout.__typename ?? errors?.[0]?.extensions.code;
        },
        again: () => checkout(system, customer, [{ offerId, quantity: 2 }], key),
      };
    }
    async function rowsOf(name: 'order' | 'warehouse', text: string, id: string) {
      const client = new pg.Client({ connectionString: system.databases[name] });
      await client.connect();
      const { rows } = await client.query<{ id: string; state: string }>(text, [id]);
      await client.end();
      return rows;
    }
    const reservationOf = async (orderId: string) =>
      (await rowsOf('warehouse', 'select state from reservation where order_id = $1', orderId))[0]
        ?.state;

    it('releases the reservation at once if the order was cancelled meanwhile', async () => {
      const { orderId, answer, again } = await delayed(2);
      const settings = { name: 'test', url: system.databases.order, poolMax: 1 };
      const orm = await connect(settings, orderSchema);
      // Another process with its key was answered that it is sold out.
      const order = (await findOrderKey(orm.em, orderId)) as RowKey;
      await endPending(orm.em, order, { to: 'CANCELLED', reason: 'OUT_OF_STOCK' });
      await orm.close();
      expect(await answer()).toBe('TRY_AGAIN');
      expect(await reservationOf(orderId)).toBe('RELEASED');
      const { checkout: another } = (await again()).data;
      expect(another.order.id).not.toBe(orderId);
    });

    it('refuses a reservation that another warehouse process may still make, once it is out of stock', async () => {
      const { orderId, answer } = await delayed(1);
      await new Promise((resolve) => setTimeout(resolve, 400)); // it retries after 100 ms
      expect(await answer()).toBe('InsufficientStock');
      expect(await reservationOf(orderId)).toBe('RELEASED');
    });
  });

  it('50 parallel checkouts with one key make one order', async () => {
    const customer = await registerPerson(system);
    const { offerId } = await openShop(system, vendor, [100], '10.00', 1);
    const replies = await Promise.all(
      Array.from({ length: 50 }, () =>
        checkout(system, customer, [{ offerId, quantity: 1 }], 'one'),
      ),
    );
    const ids = replies.map(({ data }) => data.checkout.order.id);
    expect(new Set(ids).size).toBe(1);
    expect(await ordersOf(customer)).toHaveLength(1);
  });
});
