import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { callerCredentials, callerHeader } from '../subgraphs/shared/auth/callers.js';
import { openPayments } from './harness/payments.js';
import {
  checkout,
  checkoutOnce,
  openShop,
  type Person,
  pay,
  payOnce,
  registerPerson,
} from './harness/people.js';
import { postGraphQL, startSystem, type TestSystem } from './harness/system.js';
import { eventually } from './harness/wait.js';

/** What a service that stops leaves half-way, and how it is completed. */
describe('recovery after a service stopped', () => {
  let system: TestSystem;
  let vendor: Person;
  let customer: Person;
  let order: pg.Client;
  let warehouse: pg.Client;
  beforeAll(async () => {
    system = await startSystem({ RESERVATION_MINUTES: '0.2', PAYMENT_TIMEOUT_SECONDS: '2' });
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

  it('a checkout without the warehouse subgraph gets TRY_AGAIN, and the same key completes it afterwards', async () => {
    const { offerId } = await openShop(system, vendor, [5]);
    const items = [{ offerId, quantity: 2 }];
    const key = randomUUID();
    await system.stopProcess('warehouse');
    const failed = await checkoutOnce(system, customer, items, key);
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

  it('an order whose process died before the reservation is cancelled, and its key can be used again', async () => {
    const { offerId } = await openShop(system, vendor, [5]);
    const items = [{ offerId, quantity: 2 }];
    const key = randomUUID();
    await system.stopProcess('warehouse');
    await checkoutOnce(system, customer, items, key);
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
  }, 90_000);

  it('an order whose cancellation died half-way is cancelled by its customer’s retry, which places another', async () => {
    const { offerId } = await openShop(system, vendor, [5]);
    const items = [{ offerId, quantity: 2 }];
    const key = randomUUID();
    await system.stopProcess('warehouse');
    await checkoutOnce(system, customer, items, key);
    const { rows } = await order.query(
      `select id from customer_order where status = 'PENDING' and expires_at is null`,
    );
    const { id } = rows[0];
    // The release that comes before the cancellation; for an unknown order it sends no event.
    await warehouse.query(
      `insert into reservation (order_id, state, expires_at) values ($1, 'RELEASED', now())`,
      [id],
    );
    await system.start('warehouse');
    const { data } = await checkout(system, customer, items, key);
    expect(data.checkout.__typename).toBe('CheckoutSuccess');
    expect(data.checkout.order.id).not.toBe(id);
    expect(await orderRow(id)).toMatchObject({ status: 'CANCELLED', cancel_reason: 'ABANDONED' });
  }, 90_000);

  it('a customer who retries while abandoned orders are cancelled keeps the order', async () => {
    const { offerId } = await openShop(system, vendor, [40]);
    const items = [{ offerId, quantity: 1 }];
    const keys = Array.from({ length: 20 }, () => randomUUID());
    await system.stopProcess('warehouse');
    await Promise.all(keys.map((key) => checkoutOnce(system, customer, items, key)));
    await order.query(
      `update customer_order set created_at = now() - interval '2 minutes'
       where status = 'PENDING' and expires_at is null`,
    );
    await system.start('warehouse');
    const untilPlaced = async (key: string) => {
      const reply = await eventually(
        () => checkoutOnce(system, customer, items, key),
        ({ errors }) => errors?.[0]?.extensions.code !== 'TRY_AGAIN',
        30_000,
      );
      const { id } = reply.data.checkout.order;
      // Long enough for a run of the worker, shorter than the reservation.
      await new Promise((resolve) => setTimeout(resolve, 3000));
      return orderRow(id);
    };
    const rows = await Promise.all(
      keys.map(async (key, n) => {
        await new Promise((resolve) => setTimeout(resolve, n * 150));
        return untilPlaced(key);
      }),
    );
    // On a slow machine it may have expired.
    const kept = rows.filter(
      ({ status, cancel_reason }) => status === 'PENDING' || cancel_reason === 'PAYMENT_TIMEOUT',
    );
    expect(kept).toEqual(rows);
  }, 120_000);

  it('an order whose checkout is still in progress cannot be paid yet', async () => {
    const { offerId } = await openShop(system, vendor, [5]);
    await system.stopProcess('warehouse');
    const key = randomUUID();
    await checkoutOnce(system, customer, [{ offerId, quantity: 1 }], key);
    const { rows } = await order.query(
      `select id from customer_order where status = 'PENDING' and expires_at is null`,
    );
    const early = await payOnce(system, customer, rows[0].id);
    expect(early.errors?.[0]?.extensions.code).toBe('NOT_FOUND');
    expect(await paymentRows(rows[0].id)).toEqual([]);
    await system.start('warehouse');
    const placed = await checkout(system, customer, [{ offerId, quantity: 1 }], key);
    expect(placed.data.checkout.order.id).toBe(rows[0].id);
    expect((await pay(system, customer, rows[0].id)).data.payOrder.__typename).toBe(
      'PaymentSuccess',
    );
  });

  it('a payment repeated with its key succeeds, though its process died before storing the outcome', async () => {
    const { offerId } = await openShop(system, vendor, [5]);
    const { id } = (await checkout(system, customer, [{ offerId, quantity: 1 }])).data.checkout
      .order;
    const key = randomUUID();
    expect((await pay(system, customer, id, 'Credit Card', key)).data.payOrder.__typename).toBe(
      'PaymentSuccess',
    );
    await order.query(
      `update idempotency_key set outcome = null, claimed_until = now() - interval '1 s' where key = $1`,
      [key],
    );
    const again = await pay(system, customer, id, 'Credit Card', key);
    expect(again.data.payOrder).toMatchObject({ __typename: 'PaymentSuccess' });
    expect(await paymentRows(id)).toHaveLength(1);
  });

  it('a subgraph without its database answers TRY_AGAIN, and does not count as having rejected an event', async () => {
    const { offerId } = await openShop(system, vendor, [5]);
    const { id } = (await checkout(system, customer, [{ offerId, quantity: 1 }])).data.checkout
      .order;
    const admin = new pg.Client({ connectionString: process.env.TEST_POSTGRES_URL as string });
    await admin.connect();
    const name = new URL(system.databases.order).pathname.slice(1);
    const cut = async (allow: boolean) => {
      await admin.query(`alter database ${name} allow_connections ${allow}`);
      if (!allow) {
        await admin.query(
          `select pg_terminate_backend(pid) from pg_stat_activity where datname = $1`,
          [name],
        );
      }
    };
    order.on('error', () => {});
    await cut(false);
    const refused = await checkoutOnce(system, customer, [{ offerId, quantity: 1 }]);
    expect(refused.errors?.[0]?.extensions.code).toBe('TRY_AGAIN');
    await eventually(
      async () =>
        (await warehouse.query(`select rejections from outbox where key = $1`, [id])).rows,
      ({ length }) => length === 1,
      40_000,
    );
    await new Promise((resolve) => setTimeout(resolve, 2000));
    const { rows } = await warehouse.query(
      'select rejections, dead_at from outbox where key = $1',
      [id],
    );
    expect(rows).toEqual([{ rejections: 0, dead_at: null }]);
    await cut(true);
    await admin.end();
    order = new pg.Client({ connectionString: system.databases.order });
    await order.connect();
    await eventually(
      () => orderRow(id),
      ({ status }) => status === 'CANCELLED',
    );
  }, 120_000);

  it('a reservation that fails does not affect the others in its batch', async () => {
    const { shopId, sku } = await openShop(system, vendor, [9]);
    const requests = [1, 7, 1].map((quantity) => {
      return { orderId: randomUUID(), lines: [{ shopId, sku, quantity }], reserveForMs: 1000 };
    });
    await warehouse.query(
      'alter table reservation_line add constraint no_seven check (quantity <> 7) not valid',
    );
    const { data, errors } = await postGraphQL(
      `http://127.0.0.1:${system.ports.ports.warehouse}/graphql`,
      'mutation ($r: [ReserveInput!]!) { reserveStock(requests: $r) { orderId state } }',
      { r: requests },
      undefined,
      {
        [callerHeader]: callerCredentials('order', system.secrets.callers.ORDER_SECRET as string),
      },
    );
    await warehouse.query('alter table reservation_line drop constraint no_seven');
    const [first, , third] = requests;
    expect(data.reserveStock).toEqual([
      { orderId: first?.orderId, state: 'HELD' },
      null,
      { orderId: third?.orderId, state: 'HELD' },
    ]);
    expect(errors).toMatchObject([{ path: ['reserveStock', 1] }]);
    await eventually(
      () => warehouse.query(`select 1 from reservation where state = 'HELD'`),
      ({ rowCount }) => rowCount === 0,
    );
  });

  it('a payment that does not reach the provider charges nothing, and the order is paid with a new key', async () => {
    const { offerId } = await openShop(system, vendor, [5]);
    const { id } = (await checkout(system, customer, [{ offerId, quantity: 1 }])).data.checkout
      .order;
    await system.stopProcess('sandbox');
    const key = randomUUID();
    for (let n = 0; n < 2; n++) {
      const refused = await payOnce(system, customer, id, 'Credit Card', key);
      expect(refused.errors).toMatchObject([
        {
          message: 'Nothing was charged. Pay again with a new key.',
          extensions: { code: 'TRY_AGAIN' },
        },
      ]);
    }
    await system.start('sandbox');
    expect((await payOnce(system, customer, id)).data.payOrder.__typename).toBe('PaymentSuccess');
    const [failed, paid] = await paymentRows(id);
    expect([failed.status, paid.status]).toEqual(['FAILED', 'COMPLETED']);
    await eventually(
      () => order.query('select 1 from payment where next_attempt_at is not null'),
      ({ rowCount }) => rowCount === 0,
      30_000,
    );
  });

  it('a checkout that pays at once and does not reach the provider charges nothing, and is retried with its key', async () => {
    const { offerId } = await openShop(system, vendor, [5]);
    const items = [{ offerId, quantity: 1 }];
    const key = randomUUID();
    await system.stopProcess('sandbox');
    const refused = await checkoutOnce(system, customer, items, key, 'Credit Card');
    expect(refused.errors).toMatchObject([
      {
        message: 'Nothing was charged. Please retry with the same key.',
        extensions: { code: 'TRY_AGAIN' },
      },
    ]);
    await system.start('sandbox');
    const { data } = await checkoutOnce(system, customer, items, key, 'Credit Card');
    expect(data.checkout).toMatchObject({
      __typename: 'PaymentSuccess',
      order: { status: 'CONFIRMED' },
    });
    const payments = await paymentRows(data.checkout.order.id);
    expect(payments.map(({ status }) => status)).toEqual(['FAILED', 'COMPLETED']);
  });

  it('a payment that was authorized when its process died is completed by another', async () => {
    const { offerId } = await openShop(system, vendor, [5]);
    const { id } = (await checkout(system, customer, [{ offerId, quantity: 1 }])).data.checkout
      .order;
    await system.stopProcess('warehouse');
    const first = await payOnce(system, customer, id);
    expect(first.data.payOrder).toMatchObject({
      __typename: 'PaymentPending',
      payment: { status: 'AUTHORIZED' },
    });
    await system.start('warehouse');
    await order.query(`update payment set next_attempt_at = now() where order_id = $1`, [id]);
    await eventually(
      () => orderRow(id),
      ({ status }) => status === 'CONFIRMED' || status === 'CANCELLED',
    );
  });

  it('nobody is asked for money for an order that ended while the provider was away', async () => {
    const { offerId } = await openShop(system, vendor, [5]);
    const { id } = (await checkout(system, customer, [{ offerId, quantity: 1 }])).data.checkout
      .order;
    await system.stopProcess('sandbox');
    const first = await payOnce(system, customer, id);
    expect(first.errors?.[0]?.extensions.code).toBe('TRY_AGAIN');
    await eventually(
      () => orderRow(id),
      ({ status }) => status === 'CANCELLED',
      40_000,
    );
    await system.start('sandbox');
    await order.query(`update payment set next_attempt_at = now() where order_id = $1`, [id]);
    await eventually(
      () => order.query('select 1 from payment where next_attempt_at is not null'),
      ({ rowCount }) => rowCount === 0,
    );
    const [payment] = await paymentRows(id);
    expect(payment).toMatchObject({ status: 'FAILED' });
    // Canceled before it was ever confirmed, so that nothing can confirm it later.
    const sandbox = await openPayments(system);
    const known = await sandbox.sandboxPaymentOf(payment.id).finally(() => sandbox.close());
    expect(known).toMatchObject({ status: 'canceled', wasConfirmed: false });
  }, 90_000);

  it('a reservation that expires while the order subgraph is down is reported when it is up again', async () => {
    const { offerId } = await openShop(system, vendor, [5]);
    const { id } = (await checkout(system, customer, [{ offerId, quantity: 1 }])).data.checkout
      .order;
    await system.stopProcess('order');
    await eventually(
      async () => {
        const { rows } = await warehouse.query(
          'select state from reservation where order_id = $1',
          [id],
        );
        return rows[0].state;
      },
      (state) => state === 'EXPIRED',
      40_000,
    );
    expect((await orderRow(id)).status).toBe('PENDING');
    await system.start('order');
    const row = await eventually(
      () => orderRow(id),
      ({ status }) => status === 'CANCELLED',
    );
    expect(row.cancel_reason).toBe('PAYMENT_TIMEOUT');
  }, 90_000);

  it('checkout, payment and expiry do not need Redis', async () => {
    const { offerId } = await openShop(system, vendor, [5]);
    const [paid, unpaid] = [
      (await checkout(system, customer, [{ offerId, quantity: 1 }])).data.checkout.order,
      (await checkout(system, customer, [{ offerId, quantity: 1 }])).data.checkout.order,
    ];
    await system.redis.kill();
    expect((await pay(system, customer, paid.id)).data.payOrder.__typename).toBe('PaymentSuccess');
    const key = randomUUID();
    const placed = await checkoutOnce(system, customer, [{ offerId, quantity: 1 }], key);
    expect(placed.data?.checkout.__typename).toBe('CheckoutSuccess');
    await eventually(
      () => orderRow(unpaid.id),
      ({ status }) => status === 'CANCELLED',
      40_000,
    );
    await system.redis.restart();
    const again = await checkoutOnce(system, customer, [{ offerId, quantity: 1 }], key);
    expect(again.data.checkout.order.id).toBe(placed.data.checkout.order.id);
  }, 120_000);
});
