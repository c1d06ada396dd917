import type pg from 'pg';
import { type DatabaseBefore, openDatabaseBefore } from '../../../tests/harness/database-before.js';
import { newId } from '../../shared/ids.js';
import { databaseSchema } from '../mikro-orm.config.js';

describe('a database with payments and refunds, that is migrated', () => {
  let database: DatabaseBefore;
  let client: pg.Client;
  beforeAll(async () => {
    database = await openDatabaseBefore('order', databaseSchema, '20261201-payment-machines');
    client = database.client;
  });
  afterAll(() => database.close());

  it('knows why payments failed, and keeps refunds as they are', async () => {
    const newPayment = async (status: string, reason: string | null) => {
      const id = newId();
      await client.query(
        `with placed as (
           insert into customer_order (id, customer_id, total_amount, currency_code,
             shipping_address, number) values ($1::uuid, $1::uuid, 10, 'USD', '{}', nextval('order_number')))
         insert into payment (id, order_id, user_id, amount, status, decline_reason, provider)
         values ($1::uuid, $1::uuid, $1::uuid, 10, $2, $3, 'stripe')`,
        [id, status, reason],
      );
      return id;
    };
    await newPayment('FAILED', 'insufficient funds');
    await newPayment('FAILED', null);
    const paid = await newPayment('COMPLETED', null);
    for (const [amount, status] of [
      [1, 'PENDING'],
      [2, 'COMPLETED'],
    ]) {
      await client.query(`insert into shop_order (id, order_id, shop_id) values ($1, $2, $1)`, [
        newId(),
        paid,
      ]);
      await client.query(
        `insert into refund (id, payment_id, shop_order_id, amount, reason, status)
         select $1, $2, id, $3, 'BY_SHOP', $4 from shop_order order by id desc limit 1`,
        [newId(), paid, amount, status],
      );
    }
    await database.migrate();
    const payments = await client.query('select status, failure from payment order by id');
    expect(payments.rows).toEqual([
      { status: 'FAILED', failure: 'DECLINED' },
      { status: 'FAILED', failure: 'ORDER_ENDED' },
      { status: 'COMPLETED', failure: null },
    ]);
    const refunds = await client.query(
      'select status, origin, attempt from refund order by amount',
    );
    expect(refunds.rows).toEqual([
      { status: 'PENDING', origin: 'ORDER', attempt: 0 },
      { status: 'COMPLETED', origin: 'ORDER', attempt: 0 },
    ]);
  });
});
