import type pg from 'pg';
import { isTooSlow } from '../../subgraphs/shared/database/errors.js';
import { isTryAgain } from '../../subgraphs/shared/errors.js';

/** Asks again until the answer is as wanted; fails with the last answer. */
export async function eventually<T>(
  ask: () => Promise<T>,
  isWanted: (value: T) => boolean,
  timeoutMs = 30_000,
): Promise<T> {
  const deadlineMs = Date.now() + timeoutMs;
  for (;;) {
    const value = await ask();
    if (isWanted(value)) return value;
    if (Date.now() > deadlineMs) throw new Error(`still not: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/**
 * Asks again as long as others are in the way, as a client does that is told `TRY_AGAIN`: on a slow
 * machine they may well be. Nothing was done then.
 */
export async function askingAgain<T>(ask: () => Promise<T>, timeoutMs = 30_000): Promise<T> {
  const deadlineMs = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      const isBusy = isTooSlow(error) || isTryAgain(error);
      if (!isBusy || Date.now() > deadlineMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** Waits until somebody waits for a lock in the database of a connection, which no other test uses. */
export async function someoneWaits(database: pg.Client): Promise<void> {
  const waiting = `select from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`;
  await eventually(
    () => database.query(waiting),
    ({ rowCount }) => (rowCount ?? 0) > 0,
  );
}

const endMaxMs = 60_000;

/** Waits for something to end; what does not is named, rather than left to the test's time limit. */
export async function ended(
  name: string,
  ending: Promise<unknown>,
  timeoutMs = endMaxMs,
): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${name} does not end`)), timeoutMs);
  });
  await Promise.race([ending, late]).finally(() => clearTimeout(timer));
}

/** Waits until no hold is late any more: nobody was there to end them. */
export async function noHoldIsLate(warehouse: pg.Client, timeoutMs: number): Promise<void> {
  const late = `select 1 from reservation where state = 'HELD' and expires_at < now()`;
  await eventually(
    async () => (await warehouse.query(late)).rowCount,
    (count) => count === 0,
    timeoutMs,
  );
}
