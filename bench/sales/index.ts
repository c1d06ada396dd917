import pg from 'pg';
import { seedSessions, withTokens } from '../../dev/seed/sessions.js';
import { seedStore } from '../../dev/seed/store.js';
import { migrateAll } from '../../ops/migrate-all.js';
import { openServers } from '../environment.js';
import { type CaseResult, type Check, type Outcome, rounded } from '../report.js';
import { createGraphQLClient } from '../router/operations.js';
import { startSystemProcesses } from '../system-processes.js';
import { publishSale, readStocked } from './publish-sale.js';
import { watchSale } from './watch-sale.js';

const offerCount = Number(process.env.BENCH_OFFERS ?? 2000);
const rounds = Number(process.env.BENCH_ROUNDS ?? 3);
/** Whether all offers are of one shop: then one request to the warehouse has all of them. */
const isOneShop = process.env.BENCH_SHOPS === 'one';
/** Of the variants of the seed, so that one shop has `offerCount` offers in stock. */
const variantsPerOffer = isOneShop ? 8 : 1;
/** From the creation of a sale to its start: it has to be published, and listed by product, by then. */
const startsInMs = Number(process.env.BENCH_STARTS_IN_SECONDS ?? 60) * 1000;
/** Of `saleChanged`, in a sale after the others; 0: none. */
const watchers = Number(process.env.BENCH_WATCHERS ?? 1000);
const lastsMs = 15_000;
const watchedLastsMs = 300_000;
const pollMs = 10;
const watchMs = 20;
const watched = ['shop', 'warehouse', 'product'] as const;
const waitMaxMs = 60_000;
const lateMaxMs = 1000;

/**
 * Measures how late the prices in product's lists follow the start and the end of a sale of 2,000 offers, by
 * PostgreSQL's clock: from the boundary until a read sees the price of every offer. Also how long its publication takes,
 * and the longest transaction of each database meanwhile and at the boundaries. `BENCH_SHOPS=one`: all offers are of one
 * shop. Last, what a change costs that 1,000 watch.
 */
export async function run(progress: (line: string) => void): Promise<Outcome> {
  const { postgres, redis, databases } = await openServers();
  await migrateAll(databases);
  await seedStore(databases, offerCount * variantsPerOffer);
  const system = await startSystemProcesses(databases, redis.url);
  const router = createGraphQLClient(`${system.routerUrl}/graphql`);
  const clients = new Map<string, pg.Client>();
  try {
    for (const name of watched) {
      const client = new pg.Client({ connectionString: databases[name] });
      await client.connect();
      clients.set(name, client);
    }
    const clientOf = (name: string) => clients.get(name) as pg.Client;
    const sessions = await withTokens(
      await seedSessions(databases.user),
      system.secrets.signingKeys,
    );
    const token = sessions.find(({ role }) => role === 'ADMIN')?.accessToken as string;
    const offerIds = await readStocked(
      clientOf('shop'),
      clientOf('warehouse'),
      offerCount,
      isOneShop,
    );
    const send = async (query: string, variables: object) => {
      const { data } = await router.send(query, variables, token);
      return (data as unknown as { it: { id: string; __typename: string } }).it;
    };
    const [results, others]: [CaseResult[], CaseResult[]] = [[], []];
    for (let round = 1; round <= rounds; round++) {
      const startsAt = new Date(Date.now() + startsInMs);
      const times = { startsAt, endsAt: new Date(startsAt.getTime() + lastsMs) };
      const watches = watched.map((name) => watchTransactions(databases[name]));
      const sale = await publishSale(send, clientOf('shop'), offerIds, times, `bench-${round}`);
      const lists = listsOf(clientOf('product'), sale.id, offerIds);
      const result = {
        case: `sale ${round}${isOneShop ? ', one shop' : ''}`,
        offers: offerIds.length,
        'published after ms': sale.publishedMs,
        'start late by ms': await lists.lateBy(times.startsAt, 'ofSale'),
        'end late by ms': await lists.lateBy(times.endsAt, 'ended'),
        ...(await longestOf(watches)),
      };
      progress(JSON.stringify(result));
      results.push(result);
    }
    if (watchers > 0) {
      const startsAt = new Date(Date.now() + startsInMs);
      const times = { startsAt, endsAt: new Date(startsAt.getTime() + watchedLastsMs) };
      const sale = await publishSale(send, clientOf('shop'), offerIds, times, 'bench-watched');
      await listsOf(clientOf('product'), sale.id, offerIds).lateBy(startsAt, 'ofSale');
      const watched = await watchSale(system, clientOf('warehouse'), sale.id, watchers);
      progress(JSON.stringify(watched));
      others.push(watched);
    }
    const checks = ['start', 'end'].map((boundary) => checkOf(boundary, results));
    return { results: [...results, ...others], checks };
  } finally {
    await router.close();
    await Promise.all([...clients.values()].map((client) => client.end()));
    await system.stop();
    await Promise.all([postgres.stop(), redis.stop()]);
  }
}

/** Looks at the transactions that are open in a database. @returns what ends it, and returns the longest in ms */
function watchTransactions(connectionString: string): () => Promise<number> {
  let isEnded = false;
  async function watch(): Promise<number> {
    const client = new pg.Client({ connectionString });
    await client.connect();
    let longestMs = 0;
    while (!isEnded) {
      const { rows } = await client.query<{ ms: number | null }>(
        `select max(extract(epoch from clock_timestamp() - xact_start) * 1000)::float8 as ms
         from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`,
      );
      longestMs = Math.max(longestMs, rows[0]?.ms ?? 0);
      await new Promise((resolve) => setTimeout(resolve, watchMs));
    }
    await client.end();
    return rounded(longestMs);
  }
  const longest = watch();
  return () => {
    isEnded = true;
    return longest;
  };
}

async function longestOf(watches: readonly (() => Promise<number>)[]) {
  const longest = await Promise.all(watches.map((end) => end()));
  return Object.fromEntries(
    watched.map((name, n) => [`longest transaction in ${name}, ms`, longest[n] as number]),
  );
}

/** The listings of a sale in product's database. */
function listsOf(product: pg.Client, saleId: string, offerIds: readonly string[]) {
  async function read() {
    const { rows } = await product.query<{ at: Date; ofSale: number; ended: number }>(
      `select clock_timestamp() as at,
         count(*) filter (where sale_id = $1 and price_amount = sale_amount)::int as "ofSale",
         count(*) filter (where sale_id is null)::int as ended
       from offer_listing where offer_id = any($2::uuid[])`,
      [saleId, offerIds],
    );
    return rows[0] as { at: Date; ofSale: number; ended: number };
  }
  return {
    /** @throws Error if not all prices change within a minute */
    async lateBy(boundary: Date, changed: 'ofSale' | 'ended'): Promise<number> {
      for (;;) {
        const found = await read();
        const lateMs = found.at.getTime() - boundary.getTime();
        if (lateMs >= 0 && found[changed] === offerIds.length) return rounded(lateMs);
        if (lateMs > waitMaxMs) throw new Error(`${found[changed]} prices changed in a minute`);
        await new Promise((resolve) => setTimeout(resolve, lateMs < -1000 ? 100 : pollMs));
      }
    },
  };
}

function checkOf(boundary: string, results: readonly CaseResult[]): Check {
  const value = Math.max(...results.map((each) => each[`${boundary} late by ms`] as number));
  return {
    name: `prices in lists after the ${boundary}, latest of ${results.length}, ms`,
    value,
    target: `<= ${lateMaxMs}`,
    pass: value <= lateMaxMs,
  };
}
