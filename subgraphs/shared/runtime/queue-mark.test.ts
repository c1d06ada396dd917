import { jest } from '@jest/globals';
import pg from 'pg';
import { createTestDatabases } from '../../../tests/harness/databases.js';
import { eventually, waitingForLockSql } from '../../../tests/harness/wait.js';
import { databaseSchema } from '../../order/mikro-orm.config.js';
import { connect, disconnect } from '../database/connect.js';
import { sql } from '../database/sql.js';
import { claimDue, type JobQueue, oldestJobSeconds } from './due-jobs.js';
import { refreshMark, scanAges, scanStart } from './queue-mark.js';

const queue: JobQueue = {
  table: 'job_of_test',
  dueAt: 'next_attempt_at',
  unfinished: 'not done',
};
const never = 1e9;
const now = 0;

describe('the low-water mark of a queue', () => {
  let databases: Awaited<ReturnType<typeof createTestDatabases<'order'>>>;
  let url: string;
  let orm: Awaited<ReturnType<typeof connect>>;
  const open = () => connect({ name: 'test', url, poolMax: 4 }, databaseSchema);
  beforeAll(async () => {
    databases = await createTestDatabases(['order']);
    url = databases.urls.order;
    orm = await open();
    await sql(
      orm.em.fork(),
      `create table job_of_test (
         id int primary key, done boolean not null default false, attempts int not null default 0,
         next_attempt_at timestamptz default now(), created_at timestamptz default now())`,
    );
    await sql(
      orm.em.fork(),
      'create index job_of_test_due on job_of_test (next_attempt_at) where not done',
    );
  });
  beforeEach(async () => {
    await disconnect(orm);
    orm = await open(); // a process that knows nothing
    await sql(orm.em.fork(), 'truncate job_of_test');
    await sql(orm.em.fork(), 'truncate queue_mark');
  });
  afterAll(async () => {
    await disconnect(orm);
    await databases.drop();
  });

  const addJob = (id: number, secondsAgo: number) =>
    sql(
      orm.em.fork(),
      `insert into job_of_test (id, next_attempt_at, created_at)
       select $1, at, at from (select now() - $2 * interval '1 s' as at)`,
      [id, secondsAgo],
    );
  const finish = (id: number) =>
    sql(orm.em.fork(), 'update job_of_test set done = true where id = $1', [id]);
  const refresh = (scanAfterMs = never) => refreshMark(orm.em, queue, scanAfterMs);
  /** How long ago the stored mark is, in seconds. */
  const secondsBehind = async () => {
    const [row] = await sql<{ seconds: number }>(
      orm.em.fork(),
      'select extract(epoch from now() - mark)::float8 as seconds from queue_mark',
    );
    return row?.seconds ?? Number.POSITIVE_INFINITY;
  };
  const claim = async () => {
    const due = await claimDue<{ id: number }>(orm.em, {
      ...queue,
      batchMax: 100,
      set: `next_attempt_at = now() + interval '1 min'`,
      returning: 'job.id',
    });
    return due.map(({ id }) => id).toSorted();
  };

  it('is before everything at first, and rises to the first that is due', async () => {
    await addJob(1, 300);
    await addJob(2, 200);
    expect(await refresh()).toBe('-infinity');
    await refresh();
    expect(Math.round(await secondsBehind())).toBe(300);
    await finish(1);
    await refresh();
    expect(Math.round(await secondsBehind())).toBe(200);
    expect(await claim()).toEqual([2]);
  });

  it('stays as far behind now as a transaction may last, also in an empty queue', async () => {
    await refresh();
    await refresh();
    expect(await secondsBehind()).toBeGreaterThanOrEqual(10);
    await refreshMark(orm.em, { ...queue, transactionMaxMs: 600_000 }, never);
    expect(await secondsBehind()).toBeLessThan(60); // not lowered
    await sql(orm.em.fork(), `update queue_mark set mark = '-infinity'`);
    await refreshMark(orm.em, { ...queue, transactionMaxMs: 600_000 }, never);
    expect(await secondsBehind()).toBeGreaterThan(600);
  });

  it('does not pass a row whose transaction began before it rose, and commits after', async () => {
    await refresh();
    const slow = new pg.Client({ connectionString: url });
    await slow.connect();
    await slow.query('begin');
    await slow.query('insert into job_of_test (id) values (1)');
    await addJob(2, 100);
    await finish(2);
    await refresh();
    await slow.query('commit');
    await slow.end();
    await refresh();
    expect(await claim()).toEqual([1]);
  });

  it('is used by a process that starts, and read by all', async () => {
    await refresh();
    await refresh();
    await disconnect(orm);
    orm = await open();
    const stored = await refresh();
    expect(stored).not.toBe('-infinity');
    expect(await scanStart(orm.em, queue)).toBe(stored);
  });

  it('rises seldom: not for less than 5 seconds', async () => {
    await addJob(1, 300);
    await addJob(2, 297);
    await refresh();
    await refresh();
    await finish(1);
    await refresh();
    expect(Math.round(await secondsBehind())).toBe(300);
    expect(await claim()).toEqual([2]);
  });

  it('hides a row before it until a process looks for such rows, and lowers it', async () => {
    await refresh();
    await refresh();
    await addJob(1, 3600); // nobody should
    await scanStart(orm.em, queue);
    expect(await claim()).toEqual([]);
    expect(await oldestJobSeconds(orm.em, queue)).toBe(0);
    await refresh();
    expect(await secondsBehind()).toBeLessThan(60);
    await refresh(now);
    expect(Math.round(await secondsBehind())).toBe(3600);
    await disconnect(orm);
    orm = await open();
    expect(Math.round(await oldestJobSeconds(orm.em, queue))).toBe(3600);
    expect(await claim()).toEqual([1]);
  });

  it('that was lowered to a row is not raised past it by a process that read the former', async () => {
    await refresh();
    await sql(orm.em.fork(), `update queue_mark set mark = now() - interval '1000 s'`);
    await addJob(1, 3600);
    const other = new pg.Client({ connectionString: url });
    await other.connect();
    await other.query('begin');
    await other.query(
      'update queue_mark set mark = (select min(next_attempt_at) from job_of_test)',
    );
    const raising = refresh();
    // It has read the mark, and waits for its row.
    await eventually(
      () => sql(orm.em.fork(), waitingForLockSql),
      (waiting) => waiting.length > 0,
    );
    await other.query('commit');
    await other.end();
    await raising;
    expect(Math.round(await secondsBehind())).toBe(3600);
  });

  it('is lowered by one of several processes: the others do not look', async () => {
    await refresh();
    const others = await Promise.all([open(), open(), open()]);
    await sql(
      orm.em.fork(),
      `update queue_mark set mark = now(), scanned_at = now() - interval '1 h',
         scan_ended_at = now() - interval '1 h'`,
    );
    await addJob(1, 3600);
    const spies = others.map(({ em }) =>
      jest.spyOn(em.getConnection().getClient(), 'executeQuery'),
    );
    await Promise.all(others.map(({ em }) => refreshMark(em, queue, 300_000)));
    const looks = spies
      .flatMap((spy) => spy.mock.calls)
      .filter(([query]) => 'sql' in query && query.sql.includes('lowest.due < mark'));
    expect(looks).toHaveLength(1);
    expect(Math.round(await secondsBehind())).toBe(3600);
    expect((await scanAges(orm.em.fork()))[queue.table]).toBeLessThan(60);
    for (const other of others) await disconnect(other);
  });

  it('has an age that grows while looks fail, each of which is logged', async () => {
    await refresh();
    await sql(
      orm.em.fork(),
      `update queue_mark set scanned_at = now() - interval '1 h', scan_ended_at = now() - interval '1 h'`,
    );
    const warnings: string[] = [];
    orm.config.set('logger', (message: string) => warnings.push(message));
    const broken = { ...queue, dueAt: 'no_such_column' as never };
    await expect(refreshMark(orm.em, broken, 300_000)).rejects.toThrow('no_such_column');
    expect(warnings).toEqual([expect.stringContaining('queue job_of_test not searched')]);
    expect((await scanAges(orm.em.fork()))[queue.table]).toBeGreaterThan(3000);
    await refresh(now);
    expect((await scanAges(orm.em.fork()))[queue.table]).toBeLessThan(60);
  });
});
