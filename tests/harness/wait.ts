import type pg from 'pg';
import { isTooSlow } from '../../subgraphs/shared/database/errors.js';
import { isTryAgain } from '../../subgraphs/shared/errors.js';

/** Reads a value repeatedly until it is as wanted; fails with the last value. */
export async function eventually<T>(
  read: () => Promise<T>,
  isWanted: (value: T) => boolean,
  timeoutMs = 30_000,
): Promise<T> {
  const deadlineMs = Date.now() + timeoutMs;
  for (;;) {
    const value = await read();
    if (isWanted(value)) return value;
    if (Date.now() > deadlineMs) throw new Error(`still not: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/**
 * Retries work while others block it, as a client does after `TRY_AGAIN`; on a slow machine this is normal.
 */
export async function retryWhileBusy<T>(work: () => Promise<T>, timeoutMs = 30_000): Promise<T> {
  const deadlineMs = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const isBusy = isTooSlow(error) || isTryAgain(error);
      if (!isBusy || Date.now() > deadlineMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** The sessions that wait for a lock in the database of the connection. */
export const waitingForLockSql = `select from pg_stat_activity
  where datname = current_database() and wait_event_type = 'Lock'`;

/** Waits until a session waits for a lock in the database, which no other test uses. */
export async function someoneWaits(database: pg.Client): Promise<void> {
  await eventually(
    () => database.query(waitingForLockSql),
    ({ rowCount }) => (rowCount ?? 0) > 0,
  );
}

const endMaxMs = 60_000;

/** Waits for something to end. The error names it, unlike that of the test's time limit. */
export async function ended(
  name: string,
  ending: Promise<unknown>,
  timeoutMs = endMaxMs,
): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${name} did not end`)), timeoutMs);
  });
  await Promise.race([ending, late]).finally(() => clearTimeout(timer));
}

/** Waits until no reservation is held past its expiry, after a time without a process to end them. */
export async function noReservationIsOverdue(
  warehouse: pg.Client,
  timeoutMs: number,
): Promise<void> {
  const overdue = `select 1 from reservation where state = 'HELD' and expires_at < now()`;
  await eventually(
    async () => (await warehouse.query(overdue)).rowCount,
    (count) => count === 0,
    timeoutMs,
  );
}
