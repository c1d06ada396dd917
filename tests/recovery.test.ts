import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { checkout, openShop, type Person, pay, registerPerson } from './harness/people.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { eventually } from './harness/wait.js';

/** What is left where a part of the system stopped, and who mends it: the table of system.md. */
describe('what a part that stopped leaves half-way is ended', () => {
  let system: TestSystem;
  let vendor: Person;
  let customer: Person;
  let order: pg.Client;
  let warehouse: pg.Client;
  beforeAll(async () => {
    system = await startSystem({ RESERVATION_MINUTES: '0.1' });
    [vendor, customer] = await Promise.all([
      registerPerson(system, 'VENDOR'),
      registerPerson(system),
    ]);
    order = new pg.Client({ connectionString: system.databases.order });
    warehouse = new pg.Client({ connectionString: system.databases.warehouse });
    await Promise.all([order.connect(), warehouse.connect()]);
  });
  afterEach(() => system.expectInvariants());
  afterAll(async () => {
    await Promise.all([order.end(), warehouse.end()]);
    await system.stop();
  });

  const orderRow = async (id: string) => {
    const { rows } = await order.query(
      'select id, status, cancel_reason, expires_at from customer_order where id = $1',
      [id],
    );
    return rows[0];
  };
  const paymentRows = async (orderId: string) => {
    const { rows } = await order.query(
      'select id, status from payment where order_id = $1 order by id',
      [orderId],
    );
    return rows;
  };

  it('a checkout while the stock is away says TRY_AGAIN, and the same key ends it once it is back', async () => {
    const { offerId } = await openShop(system, vendor, [5]);
    const items = [{ offerId, quantity: 2 }];
    const key = randomUUID();
    await system.stopPart('warehouse');
    const failed = await checkout(system, customer, items, key);
    expect(failed.errors?.[0]?.extensions.code).toBe('TRY_AGAIN');
    await system.start('warehouse');
    const { data } = await checkout(system, customer, items, key);
    expect(data.checkout).toMatchObject({
      __typename: 'CheckoutSuccess',
      order: { status: 'PENDING' },
    });
    const { rows } = await order.query(
      `select o.id from customer_order o join shop_order s on s.order_id = o.id
       join order_item i on i.shop_order_id = s.id where i.offer_id = $1`,
      [offerId],
    );
    expect(rows).toEqual([{ id: data.checkout.order.id }]);
  });

  it('an order whose process died before its stock was held is cancelled, and its key is free', async () => {
    const { offerId } = await openShop(system, vendor, [5]);
    const items = [{ offerId, quantity: 2 }];
    const key = randomUUID();
    await system.stopPart('warehouse');
    await checkout(system, customer, items, key);
    await system.start('warehouse');
    const { rows } = await order.query(
      `update customer_order set created_at = now() - interval '2 minutes'
       where status = 'PENDING' and expires_at is null returning id`,
    );
    const abandoned = await eventually(
      () => orderRow(rows[0].id),
      (row) => row.status === 'CANCELLED',
    );
    expect(abandoned.cancel_reason).toBe('ABANDONED');
    const reservation = await warehouse.query('select state from reservation where order_id = $1', [
      rows[0].id,
    ]);
    expect(reservation.rows).toEqual([{ state: 'RELEASED' }]);
    const { data } = await checkout(system, customer, items, key);
    expect(data.checkout).toMatchObject({ __typename: 'CheckoutSuccess' });
    expect(data.checkout.order.id).not.toBe(rows[0].id);
  }, 30_000);

  it('a payment that stopped before the provider answered is taken up, and money is taken once', async () => {
    const { offerId } = await openShop(system, vendor, [5]);
    const { id } = (await checkout(system, customer, [{ offerId, quantity: 1 }])).data.checkout
      .order;
    await system.stopPart('sandbox');
    const first = await pay(system, customer, id);
    expect(first.data.payOrder).toMatchObject({ __typename: 'PaymentPending' });
    await system.start('sandbox');
    await order.query(
      `update payment set updated_at = now() - interval '1 minute' where order_id = $1`,
      [id],
    );
    await eventually(
      () => orderRow(id),
      ({ status }) => status === 'CONFIRMED',
    );
    expect(await paymentRows(id)).toMatchObject([{ status: 'COMPLETED' }]);
  });

  it('a payment that was authorized when its process died is ended by another', async () => {
    const { offerId } = await openShop(system, vendor, [5]);
    const { id } = (await checkout(system, customer, [{ offerId, quantity: 1 }])).data.checkout
      .order;
    await system.stopPart('warehouse');
    const first = await pay(system, customer, id);
    expect(first.data.payOrder).toMatchObject({
      __typename: 'PaymentPending',
      payment: { status: 'AUTHORIZED' },
    });
    await system.start('warehouse');
    await order.query(
      `update payment set updated_at = now() - interval '1 minute' where order_id = $1`,
      [id],
    );
    await eventually(
      () => orderRow(id),
      ({ status }) => status === 'CONFIRMED' || status === 'CANCELLED',
    );
  });

  it('a payment whose hold expired meanwhile is voided, and nothing is sold', async () => {
    const { offerId } = await openShop(system, vendor, [5]);
    const { id } = (await checkout(system, customer, [{ offerId, quantity: 1 }])).data.checkout
      .order;
    await system.stopPart('sandbox');
    const first = await pay(system, customer, id);
    expect(first.data.payOrder.__typename).toBe('PaymentPending');
    await eventually(
      () => orderRow(id),
      ({ status }) => status === 'CANCELLED',
      15_000,
    );
    await system.start('sandbox');
    await order.query(
      `update payment set updated_at = now() - interval '1 minute' where order_id = $1`,
      [id],
    );
    const payments = await eventually(
      () => paymentRows(id),
      ([payment]) => payment.status === 'VOIDED',
    );
    expect(payments).toHaveLength(1);
  }, 40_000);

  it('a hold that ends while the order subgraph is away is told when it is back', async () => {
    const { offerId } = await openShop(system, vendor, [5]);
    const { id } = (await checkout(system, customer, [{ offerId, quantity: 1 }])).data.checkout
      .order;
    await system.stopPart('order');
    await eventually(
      async () => {
        const { rows } = await warehouse.query(
          'select state from reservation where order_id = $1',
          [id],
        );
        return rows[0].state;
      },
      (state) => state === 'EXPIRED',
      15_000,
    );
    expect((await orderRow(id)).status).toBe('PENDING');
    await system.start('order');
    const row = await eventually(
      () => orderRow(id),
      ({ status }) => status === 'CANCELLED',
    );
    expect(row.cancel_reason).toBe('PAYMENT_TIMEOUT');
  }, 40_000);

  it('selling goes on when Redis comes back, and payment and expiry never needed it', async () => {
    const { offerId } = await openShop(system, vendor, [5]);
    const [paid, unpaid] = [
      (await checkout(system, customer, [{ offerId, quantity: 1 }])).data.checkout.order,
      (await checkout(system, customer, [{ offerId, quantity: 1 }])).data.checkout.order,
    ];
    await system.redis.kill();
    expect((await pay(system, customer, paid.id)).data.payOrder.__typename).toBe('PaymentSuccess');
    const key = randomUUID();
    const refused = await checkout(system, customer, [{ offerId, quantity: 1 }], key);
    expect(refused.errors?.[0]?.extensions.code).toBe('TRY_AGAIN');
    await eventually(
      () => orderRow(unpaid.id),
      ({ status }) => status === 'CANCELLED',
      20_000,
    );
    await system.redis.restart();
    await eventually(
      async () =>
        (await checkout(system, customer, [{ offerId, quantity: 1 }], key)).data?.checkout,
      (result) => result?.__typename === 'CheckoutSuccess',
    );
  }, 60_000);
});
