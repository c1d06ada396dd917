import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../database/sql.js';
import { type Queue, scanStart } from './queue-mark.js';

/** A table whose rows are jobs: each has `id`, `created_at` and `next_attempt_at`. */
export type JobQueue = Queue & { readonly dueAt: 'next_attempt_at' };

interface Claim extends JobQueue {
  readonly batchMax: number;
  /** the columns of the primary key; by default `id` */
  readonly key?: readonly string[];
  /** SQL that changes a claimed row `job`: `next_attempt_at` at least */
  readonly set: string;
  /** SQL for another table and how it is joined to `job` */
  readonly join?: { readonly table: string; readonly on: string };
  /** a condition for the rows that may be claimed, with values for its `$1`, …; others stay unfinished */
  readonly eligible?: { readonly sql: string; readonly values: readonly unknown[] };
  /** SQL for the columns of a job */
  readonly returning: string;
}

/**
 * Takes jobs that are due, the longest due first. Until their `next_attempt_at` they belong to the
 * process that claimed them, so no transaction is open while it works. Rows that another process is
 * claiming are skipped.
 */
export async function claimDue<T>(em: EntityManager, claim: Claim): Promise<T[]> {
  const { table, key = ['id'], unfinished, batchMax, set, join, eligible, returning } = claim;
  const values = [...(eligible?.values ?? []), await scanStart(em.fork(), claim)];
  const jobKey = key.map((column) => `job.${column}`).join(', ');
  return sql<T>(
    em.fork(),
    `update ${table} as job set ${set}
     ${join ? `from ${join.table} where ${join.on} and` : 'where'} (${jobKey}) in (
       select ${key.join(', ')} from ${table} where ${unfinished} and next_attempt_at <= now()
         and next_attempt_at >= $${values.length}
         ${eligible ? `and (${eligible.sql})` : ''}
       order by next_attempt_at limit ${batchMax} for update skip locked)
     returning ${returning}`,
    values,
  );
}

/**
 * SQL for the time of the next attempt: the wait doubles with each attempt, up to `maxMs`. Up to a quarter is
 * added at random, so that jobs that failed together do not come back together.
 */
export const retryAtSql = (attempts: string, firstMs: number, maxMs: number) =>
  `now() + least(${firstMs} * 2 ^ least(${attempts}, 20), ${maxMs}) * (1 + random() / 4)
    * interval '1 ms'`;

/** Jobs that are tried until they are done; their table counts `attempts`. */
export interface DueJobs extends Omit<Claim, 'set'> {
  readonly retryFirstMs: number;
  readonly retryMaxMs: number;
}

/**
 * Claims and runs the jobs that are due, batch by batch. The next attempt of each is postponed before it
 * runs, longer each time, so a job whose process dies is claimed again. A job is finished once it is no
 * longer `unfinished`. Money is at stake, so no job is abandoned; the outbox relay, which may give up an
 * entry, uses `claimDue`.
 *
 * @returns how many jobs it claimed
 */
export async function runDueJobs<T>(
  em: EntityManager,
  { retryFirstMs, retryMaxMs, ...claim }: DueJobs,
  isStopping: () => boolean,
  run: (job: T) => Promise<unknown>,
): Promise<number> {
  const retryAt = retryAtSql('job.attempts', retryFirstMs, retryMaxMs);
  const set = `attempts = job.attempts + 1, next_attempt_at = ${retryAt}`;
  let taken = 0;
  while (!isStopping()) {
    const due = await claimDue<T>(em, { ...claim, set });
    await Promise.all(due.map(run));
    taken += due.length;
    if (due.length < claim.batchMax) break;
  }
  return taken;
}

/**
 * The age of the oldest unfinished job, in seconds; 0 where there is none.
 *
 * @param which SQL for those of the unfinished jobs that count; all by default
 */
export async function oldestJobSeconds(
  em: EntityManager,
  queue: JobQueue,
  which = 'true',
): Promise<number> {
  const [row] = await sql<{ age: string }>(
    em,
    `select greatest(0, coalesce(extract(epoch from now() - min(created_at)), 0)) as age
     from ${queue.table} where ${queue.unfinished} and next_attempt_at >= $1 and (${which})`,
    [await scanStart(em, queue)],
  );
  return Number(row?.age);
}
