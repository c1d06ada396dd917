import type pg from 'pg';
import { type DatabaseBefore, openDatabaseBefore } from '../../../tests/harness/database-before.js';
import { newId } from '../../shared/ids.js';
import { databaseSchema } from '../mikro-orm.config.js';

describe('a database whose orders were numbered when they were placed, that is migrated', () => {
  let database: DatabaseBefore;
  let client: pg.Client;
  beforeEach(async () => {
    database = await openDatabaseBefore('order', databaseSchema, '20261128-held-orders');
    client = database.client;
  });
  afterEach(() => database.close());

  it('keeps the numbers of its orders, except checkouts in progress, and no counter of 0', async () => {
    const insert = async (status: string, reason: string | null, expiresAt: string | null) => {
      const id = newId();
      await client.query(
        `insert into customer_order (id, customer_id, total_amount, currency_code, shipping_address,
           status, cancel_reason, expires_at) values ($1, $1, 1, 'USD', '{}', $2, $3, $4)`,
        [id, status, reason, expiresAt],
      );
      return id;
    };
    const ids = [
      await insert('CONFIRMED', null, '2026-11-20'),
      await insert('PENDING', null, '2026-11-20'),
      await insert('CANCELLED', 'OUT_OF_STOCK', null),
      await insert('PENDING', null, null),
    ];
    await client.query(
      `insert into purchase (customer_id, shop_id, sku, units) values ($1, $1, 'A', 0), ($1, $1, 'B', 1)`,
      [ids[0]],
    );
    await database.migrate();
    const { rows } = await client.query(
      'select number from customer_order order by array_position($1::uuid[], id)',
      [ids],
    );
    expect(rows.map(({ number }) => number)).toEqual(['H00000001', 'H00000002', 'H00000003', null]);
    expect((await client.query('select sku from purchase')).rows).toEqual([{ sku: 'B' }]);
  });

  it('hides from a shop the orders that ended before they were paid', async () => {
    const insert = async (status: string, events: readonly string[]) => {
      const id = newId();
      const reason = status === 'CANCELLED' ? 'BY_CUSTOMER' : null;
      await client.query(
        `insert into customer_order (id, customer_id, total_amount, currency_code, shipping_address,
           status, cancel_reason, expires_at) values ($1, $1, 1, 'USD', '{}', $2, $3, now())`,
        [id, status, reason],
      );
      await client.query(
        'insert into shop_order (id, order_id, shop_id, status) values ($1, $1, $1, $2)',
        [id, status],
      );
      await client.query(
        `insert into order_event (id, order_id, type, actor)
         select gen_random_uuid(), $1, type, 'test' from unnest($2::text[]) type`,
        [id, events],
      );
      return id;
    };
    await insert('PENDING', ['PLACED']);
    await insert('CANCELLED', ['PLACED', 'CONFIRMED', 'CANCELLED']);
    const unpaid = await insert('CANCELLED', ['PLACED', 'CANCELLED']);
    await database.migrate();
    const { rows } = await client.query('select id from shop_order where never_paid');
    expect(rows).toEqual([{ id: unpaid }]);
  });
});
