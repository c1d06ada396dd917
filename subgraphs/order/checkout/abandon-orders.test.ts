import { openTestDatabase, type TestDatabase } from '../../../tests/harness/databases.js';
import { logger } from '../../../tests/harness/stock-engine.js';
import { sql } from '../../shared/database/sql.js';
import { tryAgain } from '../../shared/errors.js';
import type { OrderApp } from '../context.js';
import { databaseSchema } from '../mikro-orm.config.js';
import { abandonOrders } from './abandon-orders.js';

const count = 120;

describe('checkouts that stopped half-way', () => {
  let database: TestDatabase;
  let orm: TestDatabase['orm'];
  beforeAll(async () => {
    database = await openTestDatabase('order', databaseSchema, { logger });
    orm = database.orm;
  });
  afterAll(() => database.close());

  const pending = async () => {
    const query = `select count(*)::int as count from customer_order where status = 'PENDING'`;
    return (await sql<{ count: number }>(orm.em.fork(), query))[0]?.count;
  };

  const place = (count: number) =>
    sql(
      orm.em.fork(),
      `insert into customer_order (id, customer_id, total_amount, currency_code, shipping_address, created_at)
       select id, id, 1, 'USD', '{}', now() - interval '1 minute'
       from (select gen_random_uuid() as id from generate_series(1, $1)) made`,
      [count],
    );
  const appWith = (release: () => Promise<unknown>) =>
    ({ orm, logger, reservations: { release } }) as unknown as OrderApp;

  it('are all cancelled in one run, also behind those that cannot be', async () => {
    await place(count);
    // Those of the first batch were paid, which is an error that somebody has to look at.
    let released = 0;
    const release = async () => ({ state: ++released <= 50 ? 'COMMITTED' : 'RELEASED' });
    expect(await abandonOrders(appWith(release))).toBe(count - 50);
    expect(released).toBe(count);
    expect(await pending()).toBe(50);
  });

  it('stop at once when the process stops', async () => {
    const app = { orm, logger } as unknown as OrderApp;
    expect(await abandonOrders(app, () => true)).toBe(0);
    expect(await pending()).toBe(50);
  });

  it('are cancelled also behind those whose release fails', async () => {
    let released = 0;
    const release = async () => {
      released += 1;
      if (released % 10 === 0) return { state: 'RELEASED' };
      throw released % 10 < 5 ? new Error('fault of one order') : tryAgain('Please retry.');
    };
    expect(await abandonOrders(appWith(release))).toBe(5);
    expect(released).toBe(50);
    expect(await abandonOrders(appWith(async () => ({ state: 'RELEASED' })))).toBe(45);
    expect(await pending()).toBe(0);
  });

  it('wait for the next run when the warehouse is unavailable', async () => {
    await place(20);
    let released = 0;
    const release = async () => {
      released += 1;
      throw tryAgain('Please retry.');
    };
    expect(await abandonOrders(appWith(release))).toBe(0);
    expect(released).toBe(10);
    expect(await pending()).toBe(20);
  });
});
