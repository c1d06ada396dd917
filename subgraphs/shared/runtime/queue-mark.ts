import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import type { EntityManager } from '@mikro-orm/postgresql';
import { Retained } from '../database/retention.js';
import { sql } from '../database/sql.js';

/**
 * The low-water mark of a queue: every unfinished row is due at this time or later. Scans start from it, so
 * that finished rows, which a long transaction keeps in the index, are not read again and again.
 */
@Retained({ permanently: 'one row for each queue' })
@Entity({ tableName: 'queue_mark' })
export class QueueMark {
  @PrimaryKey({ type: 'text' })
  queue!: string;

  @Property({ type: 'timestamptz', defaultRaw: `'-infinity'` })
  mark!: Date;

  /** when a process last began to look for rows before the mark */
  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  scannedAt!: Date;

  /** when such a look was last completed */
  @Property({ type: 'timestamptz', defaultRaw: 'now()' })
  scanEndedAt!: Date;
}

/** A table, or a part of one, that is scanned for what is due, by an index on the time. */
export interface Queue {
  readonly table: string;
  /** the name of its mark; by default that of the table */
  readonly name?: string;
  /** the column with the time at which a row is due */
  readonly dueAt: string;
  /** SQL for a row with something left to do; a partial index on `dueAt` has the same */
  readonly unfinished: string;
  /** the longest that a transaction may last which makes rows due, in ms; that of a pool's by default */
  readonly transactionMaxMs?: number;
}

// Of a connection of a pool (`transaction_timeout` in connect.ts).
const transactionMaxDefaultMs = 4500;
// For COMMIT itself, which no time limit ends, and for clocks of several servers.
const marginMs = 5500;
// Seldom: a long transaction keeps the former versions of the mark, too.
const refreshEveryMs = 10_000;
const scanEveryMs = 300_000;

interface Known {
  from: string;
  refreshedAtMs: number;
}

const nameOf = ({ name, table }: Queue): string => name ?? table;

// By MikroORM's connection, then by queue.
const known = new WeakMap<object, Map<string, Known>>();

function knownOf(em: EntityManager, queue: Queue): Known {
  const connection = em.getConnection();
  const byName = known.get(connection) ?? new Map<string, Known>();
  known.set(connection, byName);
  const name = nameOf(queue);
  const mark = byName.get(name) ?? { from: '-infinity', refreshedAtMs: Number.NEGATIVE_INFINITY };
  byName.set(name, mark);
  return mark;
}

/**
 * The time from which a scan of the queue starts. This process reads and raises the mark every 10 s; in
 * between, an older mark costs time only.
 */
export async function scanStart(em: EntityManager, queue: Queue): Promise<string> {
  const mark = knownOf(em, queue);
  if (performance.now() - mark.refreshedAtMs > refreshEveryMs) {
    mark.refreshedAtMs = performance.now();
    mark.from = await refreshMark(em, queue);
  }
  return mark.from;
}

/**
 * Raises the mark to the lowest due time of an unfinished row, but never so close to now that a running
 * transaction may commit a row before it. Every 5 minutes one process looks for rows before the mark and lowers
 * it to the first: there is none unless it was written outside these limits.
 *
 * @returns the mark
 */
export async function refreshMark(
  em: EntityManager,
  queue: Queue,
  scanAfterMs = scanEveryMs,
): Promise<string> {
  const scanned = await sql(
    em.fork(),
    `update queue_mark set scanned_at = now()
     where queue = $1 and scanned_at < now() - $2 * interval '1 ms' returning 1`,
    [nameOf(queue), scanAfterMs],
  );
  if (scanned.length > 0) await lowerMark(em, queue);
  const behindMs = (queue.transactionMaxMs ?? transactionMaxDefaultMs) + marginMs;
  await sql(em.fork(), raiseSql(queue), [nameOf(queue), behindMs, refreshEveryMs / 2]);
  const [row] = await sql<{ mark: string }>(
    em.fork(),
    `with inserted as (
       insert into queue_mark (queue) values ($1) on conflict do nothing returning mark)
     select mark::text from queue_mark where queue = $1 union all select mark::text from inserted`,
    [nameOf(queue)],
  );
  return row?.mark ?? '-infinity';
}

/** A look that fails or takes too long is given up until the next; the queue goes on from the mark. */
async function lowerMark(em: EntityManager, queue: Queue): Promise<void> {
  try {
    await sql(em.fork(), lowerSql(queue), [nameOf(queue)]);
    await sql(em.fork(), 'update queue_mark set scan_ended_at = now() where queue = $1', [
      nameOf(queue),
    ]);
  } catch (error) {
    const warn = em.config.get('logger');
    const { message } = error as Error;
    warn(`queue ${nameOf(queue)} not searched for rows before its mark: ${message}`);
  }
}

/** Queue → seconds since a look for rows before its mark was last completed. */
export async function scanAges(em: EntityManager): Promise<Record<string, number>> {
  const rows = await sql<{ queue: string; age: number }>(
    em,
    'select queue, extract(epoch from now() - scan_ended_at)::float8 as age from queue_mark',
  );
  return Object.fromEntries(rows.map(({ queue, age }) => [queue, Math.max(0, age)]));
}

const lowestSql = ({ table, dueAt, unfinished }: Queue, from: string) =>
  `select ${dueAt} as due from ${table} where ${unfinished} and ${dueAt} >= ${from}
   order by ${dueAt} limit 1`;

const lowerSql = (queue: Queue) => `
  with lowest as (${lowestSql(queue, `'-infinity'`)})
  update queue_mark set mark = lowest.due from lowest where queue = $1 and lowest.due < mark`;

// A mark that changed since it was read is left as it is: it may have been lowered to a row that this statement
// does not look for.
const raiseSql = (queue: Queue) => `
  with stored as materialized (select mark from queue_mark where queue = $1),
  lowest as (${lowestSql(queue, '(select mark from stored)')}),
  raised as (
    select least((select due from lowest), now() - $2 * interval '1 ms') as mark)
  update queue_mark q set mark = raised.mark from stored, raised
  where q.queue = $1 and q.mark = stored.mark and raised.mark > stored.mark + $3 * interval '1 ms'`;
