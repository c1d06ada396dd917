import pg from 'pg';
import { someoneWaits } from './wait.js';

type Statement = readonly [text: string, values: readonly unknown[]];

/**
 * Runs work while a transaction holds locks, and commits it once a session of the database waits for one of them.
 *
 * @param taking takes the locks. @param before runs before the commit, while the work waits
 */
export async function whileHeld<T>(
  url: string,
  { taking, before }: { readonly taking: Statement; readonly before?: Statement },
  work: () => Promise<T>,
): Promise<T> {
  const holder = new pg.Client({ connectionString: url });
  // Within its transaction the holder would see the sessions of its first look only.
  const looking = new pg.Client({ connectionString: url });
  await Promise.all([holder.connect(), looking.connect()]);
  const run = ([text, values]: Statement) => holder.query(text, [...values]);
  try {
    await holder.query('begin');
    await run(taking);
    const working = work();
    await someoneWaits(looking);
    if (before) await run(before);
    await holder.query('commit');
    return await working;
  } finally {
    await Promise.all([holder.end(), looking.end()]);
  }
}
