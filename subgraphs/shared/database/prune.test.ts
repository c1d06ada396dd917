import pg from 'pg';
import { createTestDatabases } from '../../../tests/harness/databases.js';
import { databaseSchema } from '../../order/mikro-orm.config.js';
import { neverHeldRetention } from '../../order/order/never-held-orders.js';
import { paymentEventRetention } from '../../order/payment/webhook/payment-event.js';
import {
  endedSessionRetention,
  expiredSessionRetention,
  refreshTokenRetention,
} from '../../user/session/login-session.js';
import { keyRetention } from '../idempotency/claim-key.js';
import { outcomeRetention } from '../idempotency/stored-outcome.js';
import { inboxRetention } from '../messaging/inbox.js';
import { outboxRetention } from '../messaging/outbox.js';
import { createLogger } from '../observability/logger.js';
import { connect, disconnect } from './connect.js';
import { prune } from './prune.js';
import { sql } from './sql.js';

describe('pruning', () => {
  let databases: Awaited<ReturnType<typeof createTestDatabases<'order' | 'user'>>>;
  let orm: Awaited<ReturnType<typeof connect>>;
  beforeAll(async () => {
    databases = await createTestDatabases(['order', 'user']);
    orm = await connect({ name: 'test', url: databases.urls.order, poolMax: 4 }, databaseSchema);
  });
  beforeEach(() => sql(orm.em.fork(), 'truncate inbox'));
  afterAll(async () => {
    await disconnect(orm);
    await databases.drop();
  });

  const lines: object[] = [];
  const silent = createLogger('test', 'silent');
  const logger = Object.assign(Object.create(silent), {
    info: (fields: object) => lines.push(fields),
  });
  const add = (rows: number, days: number) =>
    sql(
      orm.em.fork(),
      `insert into inbox (id, producer, topic, created_at)
       select gen_random_uuid(), 'shop', $3, now() - $2 * interval '1 day' from generate_series(1, $1)`,
      [rows, days, `${days}`],
    );
  const left = async () => {
    const rows = await sql<{ topic: string; count: number }>(
      orm.em.fork(),
      'select topic, count(*)::int from inbox group by topic',
    );
    return Object.fromEntries(rows.map(({ topic, count }) => [topic, count]));
  };

  it('deletes all that is outdated, in more than one batch, and nothing else', async () => {
    await add(12_000, 31);
    await add(10, 29);
    expect(await prune(orm.em, inboxRetention, logger)).toBe(12_000);
    expect(await left()).toEqual({ 29: 10 });
    const rowsPerSecond = expect.any(Number);
    expect(lines).toEqual([{ table: 'inbox', rows: 12_000, rowsPerSecond }]);
    expect(await prune(orm.em, inboxRetention, logger)).toBe(0);
  });

  it('leaves rows that somebody has locked for the next time', async () => {
    await add(3, 31);
    const somebody = new pg.Client({ connectionString: databases.urls.order });
    await somebody.connect();
    await somebody.query('begin');
    await somebody.query('select id from inbox limit 1 for update');
    expect(await prune(orm.em, inboxRetention, logger)).toBe(2);
    await somebody.end();
    expect(await prune(orm.em, inboxRetention, logger)).toBe(1);
  });

  it('ends after the batch during which its process is asked to stop', async () => {
    await add(12_000, 31);
    let checks = 0;
    const isStopping = () => {
      checks += 1;
      return checks > 1;
    };
    expect(await prune(orm.em, inboxRetention, logger, isStopping)).toBe(5000);
  });

  it.each([
    ['order', inboxRetention],
    ['order', outboxRetention],
    ['order', keyRetention],
    ['user', outcomeRetention],
    ['order', paymentEventRetention],
    ['order', neverHeldRetention],
    ['user', refreshTokenRetention],
    ['user', endedSessionRetention],
    ['user', expiredSessionRetention],
  ] as const)(
    'in the %s subgraph finds the outdated rows of $table by an index',
    async (name, retention) => {
      const client = new pg.Client({ connectionString: databases.urls[name] });
      await client.connect();
      await client.query('begin; set local enable_seqscan = off');
      const { table, outdated } = retention;
      const { rows } = await client.query(
        `explain select ctid from ${table} where ${outdated} limit 5000`,
      );
      await client.end();
      const plan = JSON.stringify(rows);
      expect(plan).toMatch(/Index (Only )?Scan|Bitmap Index Scan/);
      expect(plan).toMatch(/Index Cond/);
    },
  );
});
