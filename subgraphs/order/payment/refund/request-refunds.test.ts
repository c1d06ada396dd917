import Big from 'big.js';
import fc from 'fast-check';
import { openTestDatabase, type TestDatabase } from '../../../../tests/harness/databases.js';
import { logger } from '../../../../tests/harness/stock-engine.js';
import { newId } from '../../../shared/ids.js';
import { lineTotal, sumOf } from '../../../shared/money.js';
import { databaseSchema } from '../../mikro-orm.config.js';
import { onRefundsDue } from '../../order/payment-signals.js';
import { type RefundRequest, requestRefunds } from '../state/request-refunds.js';

const cents = fc.integer({ min: 1, max: 100_000 });
const amountOf = (units: number) => new Big(units).div(100).toFixed(2);

describe('refunds of a payment', () => {
  let orm: TestDatabase['orm'];
  let client: TestDatabase['client'];
  let close: TestDatabase['close'];
  beforeAll(async () => {
    ({ orm, client, close } = await openTestDatabase('order', databaseSchema, {
      poolMax: 8,
      logger,
    }));
  });
  afterAll(() => close());

  /** A payment of an order with shop orders of these prices. */
  async function newPayment(...prices: string[]) {
    const [orderId, paymentId] = [newId(), newId()];
    const amount = sumOf(prices);
    await client.query(
      `insert into customer_order (id, customer_id, total_amount, currency_code, shipping_address, number)
       values ($1, $1, $2, 'USD', '{}', nextval('order_number'))`,
      [orderId, amount],
    );
    await client.query(
      `insert into payment (id, order_id, customer_id, amount, status, provider)
       values ($1, $2, $2, $3, 'COMPLETED', 'sandbox')`,
      [paymentId, orderId, amount],
    );
    const shopOrderIds = prices.map(() => newId());
    await client.query(
      `with part as (
         insert into shop_order (customer_id, id, order_id, shop_id) select $2, id, $2, id from unnest($1::uuid[]) id
       )
       insert into order_item
         (customer_id, id, shop_order_id, offer_id, sku, name, unit_price_amount, currency_code, quantity)
       select $2, id, id, id, 'SKU', 'It', price, 'USD', 1 from unnest($1::uuid[], $3::numeric[]) as of (id, price)`,
      [shopOrderIds, orderId, prices],
    );
    return { orderId, paymentId, shopOrderIds };
  }
  type Asked = Omit<RefundRequest, 'reason'>;
  const request = (
    { orderId, paymentId }: { orderId: string; paymentId: string },
    ...asked: Asked[]
  ) =>
    orm.em.fork().transactional((em) =>
      requestRefunds(
        em,
        { customerId: orderId, id: paymentId },
        asked.map((each) => ({ ...each, reason: 'test' })),
      ),
    );

  it('never exceed it, nor those of a shop order its price, whatever is requested at the same time', async () => {
    const prices = fc.array(cents, { minLength: 4, maxLength: 4 });
    const together = fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), cents), {
      minLength: 1,
      maxLength: 3,
    });
    const requests = fc.array(together, { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(prices, requests, async (ofShopOrders, requested) => {
        const sale = await newPayment(...ofShopOrders.map(amountOf));
        const inserted = await Promise.all(
          requested.map((asked) =>
            request(
              sale,
              ...asked.map(([at, amount]) => {
                const shopOrderId = sale.shopOrderIds[at] ?? null;
                return { shopOrderId, amount: shopOrderId && amountOf(amount) };
              }),
            ),
          ),
        );
        const { rows } = await client.query<{ id: string; shop: string | null; amount: string }>(
          'select id, shop_order_id as shop, amount from refund where payment_id = $1',
          [sale.paymentId],
        );
        const sum = (of: typeof rows) => Number(sumOf(of.map(({ amount }) => amount)));
        expect(sum(rows)).toBeLessThanOrEqual(Number(sumOf(ofShopOrders.map(amountOf))));
        for (const [at, id] of sale.shopOrderIds.entries()) {
          const of = rows.filter(({ shop }) => shop === id);
          expect(sum(of)).toBeLessThanOrEqual((ofShopOrders[at] as number) / 100);
        }
        const ids = inserted.flat().filter((id) => id !== null);
        expect(new Set(ids)).toEqual(new Set(rows.map(({ id }) => id)));
        const events = await client.query('select 1 from order_event where order_id = $1', [
          sale.orderId,
        ]);
        expect(events.rowCount).toBe(rows.length);
      }),
      { numRuns: 40 },
    );
  }, 60_000);

  it('wake the worker once they are committed, and only if there are any', async () => {
    let woken = 0;
    onRefundsDue(orm, () => {
      woken += 1;
    });
    const sale = await newPayment('10.00');
    const { shopOrderIds } = sale;
    const all = { shopOrderId: shopOrderIds[0] as string, amount: null };
    await request(sale, all);
    expect(woken).toBe(1);
    await request(sale, all);
    expect(woken).toBe(1);
  });

  it('of the whole payment cover what no shop order’s refund covers', async () => {
    const sale = await newPayment('10.00');
    const { shopOrderIds } = sale;
    const all = { shopOrderId: null, amount: null };
    const made = [
      await request(sale, { shopOrderId: shopOrderIds[0] as string, amount: '3.33' }),
      await request(sale, all),
      await request(sale, all),
    ];
    expect(made.flat().map((id) => id !== null)).toEqual([true, true, false]);
    const { rows } = await client.query(
      'select amount from refund where payment_id = $1 order by id',
      [sale.paymentId],
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
