import pg from 'pg';
import { createTestDatabases } from '../../../tests/harness/databases.js';
import { migrate } from '../../shared/database/run-migrations.js';
import { newId } from '../../shared/ids.js';
import { databaseSchema } from '../mikro-orm.config.js';

const { migrations = [] } = databaseSchema;
const firstNew = migrations.findIndex(({ name }) => name.startsWith('20261201-payment-machines'));
const before = { ...databaseSchema, migrations: migrations.slice(0, firstNew) };

describe('a database with payments and refunds, that is migrated', () => {
  let databases: Awaited<ReturnType<typeof createTestDatabases<'order'>>>;
  let client: pg.Client;
  beforeAll(async () => {
    databases = await createTestDatabases(['order']);
    client = new pg.Client({ connectionString: databases.urls.order });
    await client.connect();
    await client.query('drop schema public cascade; create schema public');
    await migrate({ name: 'order', url: databases.urls.order, poolMax: 1 }, before);
  });
  afterAll(async () => {
    await client.end();
    await databases.drop();
  });

  it('knows why payments failed, and keeps refunds as they are', async () => {
    const newPayment = async (status: string, reason: string | null) => {
      const id = newId();
      await client.query(
        `with placed as (
           insert into customer_order (id, customer_id, total_amount, currency_code,
             shipping_address, number) values ($1::uuid, $1::uuid, 10, 'USD', '{}', left($1::uuid::text, 20)))
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
    await migrate({ name: 'order', url: databases.urls.order, poolMax: 1 }, databaseSchema);
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
