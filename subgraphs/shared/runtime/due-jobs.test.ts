import { createTestDatabases } from '../../../tests/harness/databases.js';
import { databaseSchema } from '../../order/mikro-orm.config.js';
import { connect, disconnect } from '../database/connect.js';
import { sql } from '../database/sql.js';
import { type DueJobs, oldestJobSeconds, runDueJobs } from './due-jobs.js';

const jobs: DueJobs = {
  table: 'job_of_test',
  dueAt: 'next_attempt_at',
  unfinished: 'not done',
  returning: 'job.id',
  batchMax: 4,
  retryFirstMs: 1000,
  retryMaxMs: 3000,
};
interface Job {
  readonly id: number;
}

describe('jobs that are due', () => {
  let databases: Awaited<ReturnType<typeof createTestDatabases<'order'>>>;
  let orm: Awaited<ReturnType<typeof connect>>;
  beforeAll(async () => {
    databases = await createTestDatabases(['order']);
    orm = await connect({ name: 'test', url: databases.urls.order, poolMax: 4 }, databaseSchema);
    await sql(
      orm.em.fork(),
      `create table job_of_test (
         id int primary key, done boolean not null default false, attempts int not null default 0,
         next_attempt_at timestamptz default now(), created_at timestamptz default now())`,
    );
  });
  beforeEach(() => sql(orm.em.fork(), 'truncate job_of_test'));
  afterAll(async () => {
    await disconnect(orm);
    await databases.drop();
  });

  const add = (count: number) =>
    sql(orm.em.fork(), 'insert into job_of_test (id) select * from generate_series(1, $1)', [
      count,
    ]);
  const finish = ({ id }: Job) =>
    sql(orm.em.fork(), 'update job_of_test set done = true where id = $1', [id]);
  const runAll = (run: (job: Job) => Promise<unknown>, isStopping = () => false) =>
    runDueJobs<Job>(orm.em, jobs, isStopping, run);

  it('are all run, in more than one batch, and finished ones never again', async () => {
    await add(10);
    const ran: number[] = [];
    const run = (job: Job) => {
      ran.push(job.id);
      return finish(job);
    };
    expect(await runAll(run)).toBe(10);
    await sql(orm.em.fork(), `update job_of_test set next_attempt_at = now()`);
    expect(await runAll(run)).toBe(0);
    expect(ran.sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('are run by one of two processes', async () => {
    await add(30);
    const ran: number[] = [];
    const run = async (job: Job) => void ran.push(job.id);
    const counts = await Promise.all([runAll(run), runAll(run), runAll(run)]);
    expect(counts.reduce((sum, count) => sum + count)).toBe(30);
    expect(new Set(ran).size).toBe(30);
  });

  it('that are not finished wait twice as long each time, up to the maximum, and at random up to a quarter longer', async () => {
    await add(1);
    const waits: number[] = [];
    for (let attempt = 1; attempt <= 4; attempt++) {
      expect(await runAll(async () => {})).toBe(1);
      expect(await runAll(async () => {})).toBe(0);
      const [row] = await sql<{ attempts: number; seconds: number }>(
        orm.em.fork(),
        `update job_of_test set next_attempt_at = now() - interval '1 s' from (
           select attempts, extract(epoch from next_attempt_at - now())::float8 as seconds
           from job_of_test) as before
         returning before.attempts, before.seconds`,
      );
      expect(row?.attempts).toBe(attempt);
      waits.push(row?.seconds as number);
    }
    for (const [n, seconds] of [1, 2, 3, 3].entries()) {
      expect(waits[n]).toBeGreaterThan(seconds - 0.5);
      expect(waits[n]).toBeLessThan(seconds * 1.25);
    }
  });

  it('are not claimed once the process stops', async () => {
    await add(10);
    let ran = 0;
    const run = async () => {
      ran += 1;
    };
    expect(await runAll(run, () => ran > 0)).toBe(4);
  });

  it('have the age of the oldest that is not finished', async () => {
    expect(await oldestJobSeconds(orm.em.fork(), jobs)).toBe(0);
    await add(2);
    await sql(orm.em.fork(), `update job_of_test set created_at = now() - id * interval '1 min'`);
    expect(Math.round(await oldestJobSeconds(orm.em.fork(), jobs))).toBe(120);
    await finish({ id: 2 });
    expect(Math.round(await oldestJobSeconds(orm.em.fork(), jobs))).toBe(60);
  });
});
