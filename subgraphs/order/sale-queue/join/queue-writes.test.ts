import pg from 'pg';
import { openQueues, type TestQueues } from '../../../../tests/harness/queues.js';
import { newId } from '../../../shared/ids.js';

const hourMs = 3_600_000;
/** Of those who join early and late: two groups each. And the one that closes a list. */
const connectionsMax = 5;

describe('a queue whose list is long', () => {
  let queues: TestQueues;
  let other: pg.Client;
  beforeAll(async () => {
    queues = await openQueues();
    other = new pg.Client({ connectionString: queues.url });
    await other.connect();
  });
  afterAll(async () => {
    await other.end();
    await queues.close();
  });

  /** Joins in one process, beside a transaction of another. @returns most sessions that waited for it at a time */
  async function joinBeside(statement: string, saleId: string): Promise<number> {
    await other.query('begin');
    await other.query(statement);
    let isOver = false;
    const joins = Array.from({ length: 200 }, () => queues.join(saleId));
    const settled = Promise.allSettled(joins).finally(() => {
      isOver = true;
    });
    let most = 0;
    while (!isOver) {
      const [{ count } = { count: 0 }] = await queues.rows<{ count: number }>(
        `select count(*)::int as count from pg_stat_activity
         where datname = current_database() and wait_event_type = 'Lock'`,
      );
      most = Math.max(most, count);
    }
    await other.query('rollback');
    for (const each of await settled) {
      expect(each).toMatchObject({
        status: 'rejected',
        reason: { extensions: { code: 'TRY_AGAIN' } },
      });
    }
    return most;
  }
  const openQueue = async () => {
    const saleId = await queues.queue({ startsInMs: hourMs });
    await queues.join(saleId);
    await queues.listCloses(saleId);
    return saleId;
  };

  it('lets those who join while it is drawn try again, with few connections', async () => {
    const saleId = await openQueue();
    await queues.draw();
    const lock = `select from sale_queue where sale_id = '${saleId}' for update`;
    const most = await joinBeside(lock, saleId);
    expect([most > 0, most <= connectionsMax]).toEqual([true, true]);
    expect((await queues.ticketsOf(saleId)).length).toBe(1);
    expect((await queues.join(saleId)).number).toBe(2);
  });

  it('is closed by one of those who join, with few connections', async () => {
    const saleId = await openQueue();
    const most = await joinBeside('lock table sale_ticket', saleId);
    expect([most > 0, most <= connectionsMax]).toEqual([true, true]);
    expect((await queues.ticketsOf(saleId)).length).toBe(1);
    expect((await queues.join(saleId)).number).toBe(2);
  });

  it('does not keep others from joining that are in the same group', async () => {
    const [drawn, open] = [await openQueue(), await queues.queue({ startsInMs: hourMs })];
    await other.query('begin');
    await other.query(`select from sale_queue where sale_id = '${drawn}' for update`);
    const joins = [drawn, open, drawn, open].map((saleId) => queues.join(saleId, 0, newId()));
    const settled = await Promise.allSettled(joins);
    await other.query('rollback');
    expect(settled.map(({ status }) => status)).toEqual([
      ...['rejected', 'fulfilled', 'rejected', 'fulfilled'],
    ]);
  });
});
