import type pg from 'pg';
import type { Logger } from '../../observability/logger.js';
import { retrying } from '../../resilience/retry.js';
import { withDedicatedConnection } from '../dedicated-connection.js';
import { isLockTimeout } from '../errors.js';
import {
  addMonths,
  firstDayText,
  type Month,
  monthOf,
  monthOfPartition,
  partitionOf,
} from './month.js';

/** A table that is partitioned by the month of its ids, by `partition-ddl.ts`. */
export interface PartitionedTable {
  readonly table: string;
  /** how many whole months before the current one stay attached */
  readonly keepMonths: number;
  /** Stores what others still need of a partition, in the transaction that then detaches it. */
  beforeDetach?(client: pg.Client, partition: string): Promise<unknown>;
}

export interface PartitionParts {
  readonly databaseUrl: string;
  readonly logger: Logger;
}

/** How many partitions exist beside that of the current month. */
export const monthsAhead = 3;

// Whoever waits for a lock makes all wait that come after it.
const lockTimeoutMs = 100;
const lockTries = 20;
const pauses = { initialDelay: 100, maxDelay: 1000 };
// `beforeDetach` reads a whole month.
const transactionMaxMs = 600_000;

/**
 * Makes the partitions of this month, of the next three, and of months whose rows are in the default partition;
 * then detaches the oldest one that is kept no longer: one at a time, so that a wrong setting is noticed. Each is a
 * transaction of its own, so it continues where another run ended, and one process at a time does it. A lock that it
 * does not get is tried again at its next run.
 *
 * @param now decides which; by default PostgreSQL's clock
 */
export function keepPartitions(
  { databaseUrl: url, logger }: PartitionParts,
  tables: readonly PartitionedTable[],
  isStopping: () => boolean = () => false,
  now?: Date,
): Promise<void> {
  return withDedicatedConnection({ name: 'partitions', url, transactionMaxMs }, async (client) => {
    await client.query(`set lock_timeout = ${lockTimeoutMs}`);
    const thisMonth = monthOf(now ?? (await readNow(client)));
    for (const each of tables) {
      try {
        await makePartitions(client, each, thisMonth, isStopping, logger);
        await detachOldest(client, each, thisMonth, isStopping, logger);
      } catch (err) {
        if (!isLockTimeout(err)) throw err;
        logger.warn({ err, table: each.table }, 'partitions not changed: the table is locked');
      }
    }
  });
}

async function readNow(client: pg.Client): Promise<Date> {
  const { rows } = await client.query<{ now: Date }>('select now()');
  return (rows[0] as { now: Date }).now;
}

async function makePartitions(
  client: pg.Client,
  { table, keepMonths }: PartitionedTable,
  thisMonth: Month,
  isStopping: () => boolean,
  logger: Logger,
): Promise<void> {
  const oldest = addMonths(thisMonth, -keepMonths);
  const newest = addMonths(thisMonth, monthsAhead);
  const ahead = Array.from({ length: monthsAhead + 1 }, (_, n) => addMonths(thisMonth, n));
  const inDefault = (await readMonthsInDefault(client, table)).filter(
    (month) => oldest <= month && month <= newest,
  );
  const attached = new Set(await readMonths(client, table));
  for (const month of new Set([...ahead, ...inDefault])) {
    if (attached.has(month)) continue;
    if (isStopping()) return;
    const make = 'select make_partition($1, $2) as made';
    const { rows } = await retryingForLocks.execute(() =>
      client.query<{ made: boolean }>(make, [table, firstDayText(month)]),
    );
    if (rows[0]?.made) logger.info({ table, month }, 'partition made');
  }
}

async function detachOldest(
  client: pg.Client,
  partitioned: PartitionedTable,
  thisMonth: Month,
  isStopping: () => boolean,
  logger: Logger,
): Promise<void> {
  const { table, keepMonths } = partitioned;
  const [month] = await readMonths(client, table);
  if (!month || month >= addMonths(thisMonth, -keepMonths) || isStopping()) return;
  await client.query('begin');
  try {
    const isDetached = await detach(client, partitioned, month, logger);
    // Without the lock the transaction has failed.
    await client.query(isDetached ? 'commit' : 'rollback');
    if (isDetached) logger.info({ table, month }, 'partition detached');
  } catch (error) {
    await client.query('rollback').catch(() => {});
    throw error;
  }
}

/** @returns false if another process does it, or has done it */
async function detach(
  client: pg.Client,
  { table, beforeDetach }: PartitionedTable,
  month: Month,
  logger: Logger,
): Promise<boolean> {
  const partition = partitionOf(table, month);
  try {
    await queryForLock(client, `lock table ${table} in share update exclusive mode`);
  } catch (err) {
    if (!isLockTimeout(err)) throw err;
    logger.debug({ table, month }, 'partition left to the process that has the lock');
    return false;
  }
  if (!(await readMonths(client, table)).includes(month)) return false;
  // A row that came later would not be stored.
  await queryForLock(client, `lock table ${partition} in share mode`);
  await beforeDetach?.(client, partition);
  await queryForLock(client, 'select detach_partition($1, $2)', [table, firstDayText(month)]);
  return true;
}

/** Executes a statement that waits for locks, several times if needed; the transaction keeps what it did before. */
async function queryForLock(client: pg.Client, text: string, values: unknown[] = []) {
  await client.query('savepoint before_lock');
  await retryingForLocks.execute(async () => {
    await client.query('rollback to savepoint before_lock');
    await client.query(text, values);
  });
}

const retryingForLocks = retrying(lockTries - 1, isLockTimeout, pauses);

/** The months that have a partition, the earliest first. */
export async function readMonths(
  client: Pick<pg.Client, 'query'>,
  table: string,
): Promise<Month[]> {
  const { rows } = await client.query<{ name: string }>(
    `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
     where i.inhparent = $1::regclass order by 1`,
    [table],
  );
  return rows.flatMap(({ name }) => monthOfPartition(table, name) ?? []);
}

/** By a scan of the default partition, which is empty unless partitions were missing. */
async function readMonthsInDefault(client: pg.Client, table: string): Promise<Month[]> {
  const { rows } = await client.query<{ month: string }>(
    `select distinct to_char(uuid_extract_timestamp(id) at time zone 'UTC', 'YYYY-MM') as month
     from ${table}_default where uuid_extract_version(id) = 7 order by 1`,
  );
  return rows.map(({ month }) => month);
}
