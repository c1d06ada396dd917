import pg from 'pg';
import { createTestDatabases } from '../../../tests/harness/databases.js';
import { eventually } from '../../../tests/harness/wait.js';
import { databaseSchema } from '../../order/mikro-orm.config.js';
import { InboxEntry } from '../messaging/inbox.js';
import { createLogger } from '../observability/logger.js';
import { Registry } from '../observability/metrics.js';
import { startPruning } from '../runtime/start-pruning.js';
import { connect, disconnect } from './connect.js';
import { noProgress, type PruneOptions, prunablesOf, prune } from './prune.js';
import { sql } from './sql.js';

describe('pruning', () => {
  let databases: Awaited<ReturnType<typeof createTestDatabases<'order'>>>;
  let orm: Awaited<ReturnType<typeof connect>>;
  beforeAll(async () => {
    databases = await createTestDatabases(['order']);
    orm = await connect({ name: 'test', url: databases.urls.order, poolMax: 4 }, databaseSchema);
  });
  beforeEach(async () => {
    await sql(orm.em.fork(), 'truncate inbox');
    lines.length = 0;
  });
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
  const pruneInbox = (options: PruneOptions = {}) =>
    prune(orm.em, prunablesOf(orm.em, [InboxEntry]), logger, options);
  /** Another session, in a transaction. */
  async function somebody(statement: string) {
    const client = new pg.Client({ connectionString: databases.urls.order });
    await client.connect();
    await client.query('begin');
    await client.query(statement);
    return client;
  }

  it('deletes all that is outdated, in more than one batch, and nothing else', async () => {
    await add(12_000, 31);
    await add(10, 29);
    expect(await pruneInbox()).toBe(12_000);
    expect(await left()).toEqual({ 29: 10 });
    const rowsPerSecond = expect.any(Number);
    expect(lines).toEqual([{ table: 'inbox', rows: 12_000, rowsPerSecond }]);
    expect(await pruneInbox()).toBe(0);
  });

  it('leaves rows that somebody has locked for the next time', async () => {
    await add(3, 31);
    const client = await somebody('select id from inbox limit 1 for update');
    expect(await pruneInbox()).toBe(2);
    await client.end();
    expect(await pruneInbox()).toBe(1);
  });

  it('begins where it ended, and now and then at the beginning, where a locked row was left', async () => {
    await add(1, 33);
    const client = await somebody('select id from inbox for update');
    await add(1, 32);
    const rules = prunablesOf(orm.em, [InboxEntry]);
    const [rule] = rules;
    if (!rule) throw new Error('no rule');
    const progress = new Map([[rule, noProgress()]]);
    expect(await prune(orm.em, rules, logger, { progress })).toBe(1);
    await client.end();
    await add(1, 31);
    expect(await prune(orm.em, rules, logger, { progress })).toBe(1);
    expect(await left()).toEqual({ 33: 1 });
    Object.assign(progress.get(rule) ?? {}, { scannedAtMs: Number.NEGATIVE_INFINITY });
    expect(await prune(orm.em, rules, logger, { progress })).toBe(1);
  });

  it('ends after the batch during which its process is asked to stop', async () => {
    await add(12_000, 31);
    let checks = 0;
    const isStopping = () => {
      checks += 1;
      return checks > 1;
    };
    expect(await pruneInbox({ isStopping })).toBe(5000);
  });

  it('of one table does not depend on that of another', async () => {
    await add(1, 31);
    const [rule] = prunablesOf(orm.em, [InboxEntry]);
    if (!rule) throw new Error('no rule');
    const broken = { ...rule, table: 'no_such_table' };
    await expect(prune(orm.em, [broken, rule], logger)).rejects.toThrow('no_such_table');
    expect(await left()).toEqual({});
  });

  it('is done by two processes at once without an error, each row once', async () => {
    await add(30_000, 31);
    const counts = await Promise.all([pruneInbox(), pruneInbox(), pruneInbox()]);
    const rest = await pruneInbox();
    expect(counts.reduce((sum, count) => sum + count, rest)).toBe(30_000);
    expect(await left()).toEqual({});
  });

  it('is metered by table: what was deleted, and how late the oldest row is', async () => {
    await add(2, 31);
    const registry = new Registry();
    const pruning = startPruning({ em: orm.em, databaseSchema, logger, registry, everyMs: 1e6 });
    const metric = async (name: string) => {
      const text = await registry.getSingleMetricAsString(name);
      return Number(/\{table="inbox"\} (\S+)/.exec(text)?.[1]);
    };
    const day = 24 * 3600;
    expect(Math.round((await metric('holdfast_pruning_overdue_seconds')) / day)).toBe(1);
    expect(await metric('holdfast_pruned_rows_total')).toBe(0);
    pruning.wake();
    await eventually(
      () => metric('holdfast_pruned_rows_total'),
      (count) => count === 2,
    );
    expect(await metric('holdfast_pruning_overdue_seconds')).toBe(0);
    await pruning.stop();
  });
});
