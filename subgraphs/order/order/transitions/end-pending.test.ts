import { openTestDatabase, type TestDatabase } from '../../../../tests/harness/databases.js';
import { ownKey } from '../../../../tests/harness/own-key.js';
import { logger } from '../../../../tests/harness/stock-engine.js';
import { connect, disconnect } from '../../../shared/database/connect.js';
import { sql } from '../../../shared/database/sql.js';
import { newId } from '../../../shared/ids.js';
import { databaseSchema } from '../../mikro-orm.config.js';
import { endPending, recordHeld } from './end-pending.js';

describe('a pending order that ends', () => {
  let database: TestDatabase;
  let orm: TestDatabase['orm'];
  beforeAll(async () => {
    database = await openTestDatabase('order', databaseSchema, { logger });
    orm = database.orm;
  });
  afterAll(() => database.close());

  async function newOrder(): Promise<string> {
    const id = newId();
    await sql(
      orm.em.fork(),
      `insert into customer_order (id, customer_id, total_amount, currency_code, shipping_address)
       values ($1, $1, 1, 'USD', '{}')`,
      [id],
    );
    return id;
  }
  const statusOf = async (id: string) => {
    const query = 'select status from customer_order where id = $1';
    return (await sql<{ status: string }>(orm.em.fork(), query, [id]))[0]?.status;
  };
  const outOfStock = { to: 'CANCELLED', reason: 'OUT_OF_STOCK', unlessHeld: true } as const;

  it('is not cancelled by a late answer that there is no stock once its stock is reserved', async () => {
    const reserved = await newOrder();
    await recordHeld(orm.em.fork(), ownKey(reserved), new Date(Date.now() + 60_000));
    expect(await endPending(orm.em.fork(), ownKey(reserved), outOfStock)).toBe(false);
    expect(await statusOf(reserved)).toBe('PENDING');
    const timedOut = { to: 'CANCELLED', reason: 'PAYMENT_TIMEOUT' } as const;
    expect(await endPending(orm.em.fork(), ownKey(reserved), timedOut)).toBe(true);
  });

  it('is found by its key, also by a statement that was planned while there were few orders', async () => {
    const { url } = database;
    const onOneConnection = await connect(
      { name: 'test', url, poolMax: 1, logger },
      databaseSchema,
    );
    const em = onOneConnection.em.fork();
    const ids = await Promise.all(Array.from({ length: 8 }, newOrder));
    const hold = (id: string) => recordHeld(em, ownKey(id), new Date(Date.now() + 60_000));
    for (const id of ids.slice(1)) await hold(id);
    await sql(
      em,
      `insert into customer_order (id, customer_id, total_amount, currency_code, shipping_address)
       select id, id, 1, 'USD', '{}' from (select gen_random_uuid() as id from generate_series(1, 2000)) as added`,
    );
    const rowsScanned = async () => {
      await sql(em, 'select pg_stat_force_next_flush()');
      const [row] = await sql<{ rows: string }>(
        em,
        `select seq_tup_read as rows from pg_stat_user_tables where relname = 'customer_order'`,
      );
      return row?.rows;
    };
    const before = await rowsScanned();
    await hold(ids[0] as string);
    expect(await rowsScanned()).toBe(before);
    await disconnect(onOneConnection);
  });

  it('ends once', async () => {
    const id = await newOrder();
    const ends = Array.from({ length: 5 }, () => endPending(orm.em.fork(), ownKey(id), outOfStock));
    expect((await Promise.all(ends)).filter(Boolean)).toHaveLength(1);
    expect(await statusOf(id)).toBe('CANCELLED');
  });
});
