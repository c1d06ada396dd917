import { openTestDatabase, type TestDatabase } from '../../../tests/harness/databases.js';
import { logger } from '../../../tests/harness/stock-engine.js';
import { newId } from '../../shared/ids.js';
import { changeShopOrders } from '../fulfilment/change-shop-orders.js';
import { lockOrder } from '../locks.js';
import { databaseSchema } from '../mikro-orm.config.js';
import { cancelAllUnits } from '../order/transitions/cancel-units.js';
import type { RowKey } from '../row-key.js';
import { reverseSale } from './reverse-sale.js';

const roundsCount = 20;
const [shopA, shopB] = [newId(), newId()];

describe('paid orders of one customer that are cancelled at the same time', () => {
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

  /** A paid order of one unit from each shop, whose shop orders are inserted in this sequence. */
  async function paidOrder(customerId: string, shopIds: readonly string[]): Promise<RowKey> {
    const orderId = newId();
    await client.query(
      `insert into customer_order (id, customer_id, total_amount, currency_code, shipping_address, status,
         number)
       values ($1, $2, 2, 'USD', '{}', 'CONFIRMED', nextval('order_number'))`,
      [orderId, customerId],
    );
    for (const shopId of shopIds) {
      const shopOrderId = newId();
      await client.query(
        `insert into shop_order (customer_id, id, order_id, shop_id, status)
         values ($4, $1, $2, $3, 'CONFIRMED')`,
        [shopOrderId, orderId, shopId, customerId],
      );
      await client.query(
        `insert into order_item (customer_id, id, shop_order_id, offer_id, sku, name,
           unit_price_amount, currency_code, quantity)
         values ($3, $1, $2, $1, 'SKU', 'A thing', 1, 'USD', 1)`,
        [newId(), shopOrderId, customerId],
      );
      await client.query(
        `insert into purchase (customer_id, shop_id, sku, units) values ($1, $2, 'SKU', 1)
         on conflict (customer_id, shop_id, sku) do update set units = purchase.units + 1`,
        [customerId, shopId],
      );
    }
    await client.query(
      `insert into payment (id, order_id, customer_id, amount, status, provider)
       values ($1, $2, $3, 2, 'COMPLETED', 'sandbox')`,
      [newId(), orderId, customerId],
    );
    return { customerId, id: orderId };
  }

  const cancel = (key: RowKey) =>
    orm.em.fork().transactional(async (em) => {
      const order = await lockOrder(em, key);
      const cancellation = { actor: 'test', reason: 'BY_CUSTOMER' } as const;
      const units = { reason: 'CUSTOMER_REQUEST' } as const;
      const shopOrderIds = order.shopOrders.map(({ id }) => id);
      await changeShopOrders(em, order, { shopOrderIds, to: 'CANCELLED', ...cancellation });
      const cancelled = await cancelAllUnits(em, key.customerId, shopOrderIds);
      await reverseSale(em, order, cancelled, { ...cancellation, units });
    });

  it('do not deadlock, in whatever sequence their shop orders were inserted', async () => {
    for (let round = 0; round < roundsCount; round++) {
      const customerId = newId();
      const orders: RowKey[] = [];
      for (const shopIds of [
        [shopA, shopB],
        [shopB, shopA],
        [shopA, shopB],
        [shopB, shopA],
      ]) {
        orders.push(await paidOrder(customerId, shopIds));
      }
      await Promise.all(orders.map(cancel));
      const bought = 'select units from purchase where customer_id = $1';
      const { rows } = await client.query(bought, [customerId]);
      expect(rows).toEqual([]); // counters of 0 are deleted
      const sent = `select sum(r.amount) from refund r join payment p on p.id = payment_id
        where p.customer_id = $1`;
      expect((await client.query(sent, [customerId])).rows).toEqual([{ sum: '8.00' }]);
    }
  }, 60_000);
});
