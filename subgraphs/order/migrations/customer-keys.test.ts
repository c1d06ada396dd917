import type pg from 'pg';
import { type DatabaseBefore, openDatabaseBefore } from '../../../tests/harness/database-before.js';
import { newId } from '../../shared/ids.js';
import { databaseSchema } from '../mikro-orm.config.js';

describe('a database whose rows have keys without their customer, that is migrated', () => {
  let database: DatabaseBefore;
  let client: pg.Client;
  const customer = newId();
  const [order, unheld, shopOrder, item, payment, refund, dispute, offer] = Array.from(
    { length: 8 },
    newId,
  );
  beforeAll(async () => {
    database = await openDatabaseBefore('order', databaseSchema, '20261205-customer-keys');
    client = database.client;
    await client.query(
      `insert into customer_order (id, customer_id, total_amount, currency_code, shipping_address,
         number, expires_at, created_at) values
         ('${order}', '${customer}', 10, 'USD', '{}', 'H00000007', now(), '2026-11-20T10:00:00.123999Z'),
         ('${unheld}', '${customer}', 10, 'USD', '{}', null, null, now());
       insert into shop_order (id, order_id, shop_id) values ('${shopOrder}', '${order}', '${newId()}');
       insert into order_item
         (id, shop_order_id, offer_id, sku, name, unit_price_amount, currency_code, quantity)
       values ('${item}', '${shopOrder}', '${offer}', 'S', 'S', 10, 'USD', 1);
       insert into order_event (id, order_id, type, actor) values ('${newId()}', '${order}', 'PLACED', 'test');
       insert into payment (id, order_id, user_id, amount, status, failure, provider, provider_transaction_id)
       values ('${payment}', '${order}', '${customer}', 10, 'COMPLETED', null, 'stripe', 'pi_1'),
         ('${newId()}', '${order}', '${customer}', 10, 'FAILED', 'NOT_CHARGED', 'stripe', null);
       insert into refund (id, payment_id, shop_order_id, amount, reason)
       values ('${refund}', '${payment}', '${shopOrder}', 1, 'BY_SHOP');
       insert into refund_line (refund_id, order_item_id, quantity) values ('${refund}', '${item}', 1);
       insert into dispute (id, payment_id, provider_dispute_id, status, amount, reason)
       values ('${dispute}', '${payment}', 'dp_1', 'OPEN', 10, 'fraudulent');
       insert into cart (id, shard) values ('${customer}', 3);
       insert into cart_item (cart_id, offer_id, id, name, unit_price_amount, currency_code, quantity)
       values ('${customer}', '${offer}', '${newId()}', 'S', 10, 'USD', 2)`,
    );
    await database.migrate();
  });
  afterAll(() => database.close());

  const rowsOf = async (text: string) => (await client.query(text)).rows;

  it.each([
    ['shop_order', 1],
    ['order_item', 1],
    ['order_event', 1],
    ['payment', 2],
    ['refund', 1],
    ['refund_line', 1],
    ['dispute', 1],
    ['cart', 1],
    ['cart_item', 1],
  ])('keeps the rows of %s, each with the customer of its order', async (table, count) => {
    const found = `select customer_id, count(*)::int as count from ${table} group by 1`;
    expect(await rowsOf(found)).toEqual([{ customer_id: customer, count }]);
  });

  it('knows the orders of numbers, and the payments of transactions', async () => {
    expect(await rowsOf('select number, customer_id, order_id from numbered_order')).toEqual([
      { number: 'H00000007', customer_id: customer, order_id: order },
    ]);
    expect(await rowsOf('select * from provider_transaction')).toEqual([
      {
        ...{ provider: 'stripe', provider_transaction_id: 'pi_1' },
        ...{ customer_id: customer, payment_id: payment },
      },
    ]);
  });

  it('keeps times as they were shown, and the history append-only', async () => {
    const times = `select to_char(created_at at time zone 'UTC', 'HH24:MI:SS.US') as time
      from customer_order where id = '${order}'`;
    expect(await rowsOf(times)).toEqual([{ time: '10:00:00.123000' }]);
    const change = client.query(`update order_event set actor = 'x'`);
    await expect(change).rejects.toThrow('append-only');
    await expect(client.query('delete from order_event')).rejects.toThrow('append-only');
  });

  it('refuses a row that would belong to an order of another customer', async () => {
    const foreign = client.query(
      `insert into shop_order (customer_id, id, order_id, shop_id)
       values ('${newId()}', '${newId()}', '${order}', '${offer}')`,
    );
    await expect(foreign).rejects.toThrow('shop_order_order_id_foreign');
  });
});
