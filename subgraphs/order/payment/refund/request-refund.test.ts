import Big from 'big.js';
import fc from 'fast-check';
import pg from 'pg';
import { createTestDatabases } from '../../../../tests/harness/databases.js';
import { logger } from '../../../../tests/harness/stock-engine.js';
import { connect, disconnect } from '../../../shared/database/connect.js';
import { newId } from '../../../shared/ids.js';
import { lineTotal, sumOf } from '../../../shared/money.js';
import { databaseSchema } from '../../mikro-orm.config.js';
import { requestRefund } from '../state/request-refund.js';

const cents = fc.integer({ min: 1, max: 100_000 });
const amountOf = (units: number) => new Big(units).div(100).toFixed(2);

describe('refunds of a payment', () => {
  let databases: Awaited<ReturnType<typeof createTestDatabases<'order'>>>;
  let client: pg.Client;
  let orm: Awaited<ReturnType<typeof connect>>;
  beforeAll(async () => {
    databases = await createTestDatabases(['order']);
    const url = databases.urls.order;
    client = new pg.Client({ connectionString: url });
    await client.connect();
    orm = await connect({ name: 'test', url, poolMax: 8, logger }, databaseSchema);
  });
  afterAll(async () => {
    await Promise.all([client.end(), disconnect(orm)]);
    await databases.drop();
  });

  async function newPayment(amount: string, shopOrdersCount: number) {
    const [orderId, paymentId] = [newId(), newId()];
    await client.query(
      `insert into customer_order (id, customer_id, total_amount, currency_code, shipping_address, number)
       values ($1, $1, $2, 'USD', '{}', nextval('order_number'))`,
      [orderId, amount],
    );
    await client.query(
      `insert into payment (id, order_id, user_id, amount, status, provider)
       values ($1, $2, $2, $3, 'COMPLETED', 'sandbox')`,
      [paymentId, orderId, amount],
    );
    const shopOrderIds = Array.from({ length: shopOrdersCount }, () => newId());
    for (const id of shopOrderIds) {
      await client.query('insert into shop_order (id, order_id, shop_id) values ($1, $2, $1)', [
        id,
        orderId,
      ]);
    }
    return { orderId, paymentId, shopOrderIds };
  }

  it('never exceed it, whatever is requested at the same time, and a shop order is refunded once', async () => {
    const requests = fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), cents), {
      minLength: 1,
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(cents, requests, async (total, requested) => {
        const { orderId, paymentId, shopOrderIds } = await newPayment(amountOf(total), 4);
        const inserted = await Promise.all(
          requested.map(([at, amount]) =>
            orm.em.fork().transactional((em) =>
              requestRefund(em, {
                paymentId,
                shopOrderId: shopOrderIds[at] ?? null,
                amount: shopOrderIds[at] ? amountOf(amount) : null,
                reason: 'test',
              }),
            ),
          ),
        );
        const { rows } = await client.query(
          'select shop_order_id, amount from refund where payment_id = $1',
          [paymentId],
        );
        expect(Number(sumOf(rows.map(({ amount }) => amount)))).toBeLessThanOrEqual(total / 100);
        expect(new Set(rows.map((row) => row.shop_order_id)).size).toBe(rows.length);
        expect(inserted.filter(Boolean)).toHaveLength(rows.length);
        const events = await client.query('select 1 from order_event where order_id = $1', [
          orderId,
        ]);
        expect(events.rowCount).toBe(rows.length);
      }),
      { numRuns: 40 },
    );
  }, 60_000);

  it('of the whole payment cover what no shop order’s refund covers', async () => {
    const { paymentId, shopOrderIds } = await newPayment('10.00', 1);
    const request = (shopOrderId: string | null, amount: string | null) =>
      orm.em
        .fork()
        .transactional((em) =>
          requestRefund(em, { paymentId, shopOrderId, amount, reason: 'test' }),
        );
    expect(await request(shopOrderIds[0] as string, '3.33')).toBe(true);
    expect(await request(null, null)).toBe(true);
    expect(await request(null, null)).toBe(false);
    const { rows } = await client.query(
      'select amount from refund where payment_id = $1 order by id',
      [paymentId],
    );
    expect(rows).toEqual([{ amount: '3.33' }, { amount: '6.67' }]);
  });
});

describe('the total of an order', () => {
  it('is the sum of its lines, to the cent', () => {
    const lines = fc.array(fc.tuple(cents, fc.integer({ min: 1, max: 10_000 })), {
      maxLength: 100,
    });
    fc.assert(
      fc.property(lines, (of) => {
        const sum = sumOf(of.map(([price, quantity]) => lineTotal(amountOf(price), quantity)));
        const inCents = of.reduce(
          (total, [price, quantity]) => total + BigInt(price * quantity),
          0n,
        );
        expect(BigInt(sum.replace('.', ''))).toBe(inCents);
      }),
    );
  });
});
