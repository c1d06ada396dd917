import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { ProcessSystem } from './process-system.js';
import { eventually, waitingForLockSql } from './wait.js';

export const searchesAtOnce = 300;
// As many as queries of clients may occupy of the pool, or nearly.
const waitingMin = 5;
/** The least that `Retry-After` says. */
const retryAfterMs = 1000;

export const search = `query ($search: String!) {
  products(filter: { search: $search }, first: 20) { edges { node { name } } } }`;

/** Statements of product that wait for the lock: as slow as a statement can be. */
const waitingSql = `${waitingForLockSql} and application_name = 'product'`;

/** Searches again and again, so many at once, none of which gets an answer before it is refused. */
export async function startSlowSearches(system: Pick<ProcessSystem, 'graphql' | 'databases'>) {
  const [blocker, observer] = [1, 2].map(
    () => new pg.Client({ connectionString: system.databases.product }),
  ) as [pg.Client, pg.Client];
  await Promise.all([blocker.connect(), observer.connect()]);
  await blocker.query('begin');
  await blocker.query('lock table product in access exclusive mode');
  let searching = true;
  const codes = new Set<string>();
  const searchAgain = async (n: number) => {
    for (let round = 0; searching; round++) {
      const { errors = [] } = await system.graphql(search, { search: `search${n} ${round}` });
      for (const { extensions } of errors) codes.add(extensions.code);
      // As clients do that are refused. Without it the searches themselves would take the processors from all others.
      await sleep(retryAfterMs);
    }
  };
  const searches = Array.from({ length: searchesAtOnce }, (_, n) => searchAgain(n));
  const waiting = async () => (await observer.query(waitingSql)).rowCount ?? 0;
  await eventually(waiting, (count) => count >= waitingMin);
  return {
    /** statements of searches that wait at the moment */
    waiting,
    /** codes of the errors so far */
    codes,
    async end() {
      if (!searching) return;
      searching = false;
      await blocker.query('rollback');
      await Promise.all(searches);
      await Promise.all([blocker.end(), observer.end()]);
    },
  };
}
export type SlowSearches = Awaited<ReturnType<typeof startSlowSearches>>;
