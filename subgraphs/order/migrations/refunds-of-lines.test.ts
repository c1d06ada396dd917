import type pg from 'pg';
import { type DatabaseBefore, openDatabaseBefore } from '../../../tests/harness/database-before.js';
import { newId } from '../../shared/ids.js';
import { databaseSchema } from '../mikro-orm.config.js';

describe('a database with cancelled orders, that is migrated', () => {
  let database: DatabaseBefore;
  let client: pg.Client;
  beforeAll(async () => {
    database = await openDatabaseBefore('order', databaseSchema, '20261204-refunds-of-lines');
    client = database.client;
  });
  afterAll(() => database.close());

  it('knows the cancelled units of those that were paid, or whose capture failed', async () => {
    const newOrder = async (
      status: string,
      neverPaid: boolean,
      payment: string,
      failure: string | null = null,
    ) => {
      const id = newId();
      const reason = status === 'CANCELLED' ? 'BY_SHOP' : null;
      await client.query(
        `with placed as (
           insert into customer_order (id, customer_id, total_amount, currency_code,
             shipping_address, number, status, cancel_reason)
           values ($1::uuid, $1, 10, 'USD', '{}', nextval('order_number'), $2, $3)
         ), part as (
           insert into shop_order (id, order_id, shop_id, status, never_paid)
           values ($1, $1, $1, $2, $4)
         ), paid as (
           insert into payment (id, order_id, user_id, amount, status, failure, provider)
           values ($1, $1, $1, 10, $5, $6, 'stripe')
         )
         insert into order_item
           (id, shop_order_id, offer_id, sku, name, unit_price_amount, currency_code, quantity)
         values ($1, $1, $1, 'SKU', 'It', 5, 'USD', 2)`,
        [id, status, reason, neverPaid, payment, failure],
      );
    };
    await newOrder('CONFIRMED', false, 'COMPLETED');
    await newOrder('CANCELLED', false, 'COMPLETED');
    await newOrder('CANCELLED', true, 'FAILED', 'CAPTURE_REFUSED');
    await newOrder('CANCELLED', true, 'VOIDED');
    await newOrder('CANCELLED', true, 'FAILED', 'DECLINED');
    await database.migrate();
    const { rows } = await client.query('select cancelled_quantity from order_item order by id');
    expect(rows.map((row) => row.cancelled_quantity)).toEqual([0, 2, 2, 2, 0]);
  });
});
