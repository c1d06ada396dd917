import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { type SeededSession, seedSessions, withTokens } from '../../dev/seed/sessions.js';
import { seedStore } from '../../dev/seed/store.js';
import type { DatabaseUrls } from '../../ops/databases/urls.js';
import { migrateAll } from '../../ops/migrate-all.js';
import { vendor } from '../checkout/vendor.js';
import { openServers } from '../environment.js';
import { type Check, minutesIn, type Outcome, rounded } from '../report.js';
import { createGraphQLClient } from '../router/operations.js';
import { startSystemProcesses } from '../system-processes.js';
import { verifyAtRest } from '../verify-at-rest.js';
import { type Arrivals, createArrivals } from './arrivals.js';
import { type Buyers, createBuyers } from './buyers.js';
import { compare, windowsOf } from './flatness.js';
import { sendMix } from './mix.js';
import { openSampler, type Sample, seriesOf } from './sample.js';
import { readFiles } from './stock-file.js';
import { readTables, startShortRetention } from './tables.js';

const minutesDefault = 20;
const minutesMin = 3;
const secondsOfMinute = 60;
// Enough for a thousand customers.
const variants = 20_000;
const skusWatched = 200;
const plenty = 1_000_000;
// What an unpaid order waits for.
const holdMinutes = 0.5;
const expiryMaxSeconds = 30;
// Tokens are valid for 15 minutes.
const tokensEveryMinutes = 5;
// Then closed connections have been seen as closed, and PostgreSQL has written its statistics.
const settleMs = 2000;

/**
 * A steady mix of all kinds of work, at 25 to 40 % of two cores: `--minutes N`, by default 20. After each
 * minute the load pauses for a sample. Checks that the last minutes are as the first ones after warm-up.
 */
export async function run(
  progress: (line: string) => void,
  args: readonly string[],
): Promise<Outcome> {
  const minutes = minutesIn(args, minutesMin) ?? minutesDefault;
  const { postgres, redis, databases } = await openServers();
  await migrateAll(databases);
  progress(`${await seedStore(databases, variants)} variants seeded`);
  const inspectorUrls = new Map<string, string>();
  const settings = {
    NODE_OPTIONS: '--inspect=127.0.0.1:0',
    RESERVATION_MINUTES: `${holdMinutes}`,
  };
  const system = await startSystemProcesses(databases, redis.url, settings, (name, line) => {
    const [, url] = /^Debugger listening on (ws:\S+)/.exec(line) ?? [];
    if (url) inspectorUrls.set(name, url);
    else if (/^{"level":[456]0,/.test(line)) progress(`${name}: ${line}`);
  });
  const routerUrl = `${system.routerUrl}/graphql`;
  const router = createGraphQLClient(routerUrl);
  const processIds = { ...system.processIds, postgres: postgres.processId };
  const sampler = await openSampler(processIds, inspectorUrls);
  const retention = await startShortRetention(databases);
  try {
    const seeded = await seedSessions(databases.user);
    const tokens = await openTokens(seeded, system.secrets.signingKeys);
    const vera = await vendor(router, await withTokens(seeded, system.secrets.signingKeys));
    await vera.stockUp(plenty);
    const customers = seeded.filter(({ role }) => role === 'CUSTOMER');
    const vendorId = seeded.find(({ email }) => email === 'vera@example.com')?.userId as string;
    const vendorToken = () => tokens.of(vendorId);
    const arrivals = createArrivals();
    const mix = {
      ...{ arrivals, router, routerUrl, vendorToken },
      buyers: await createBuyers(arrivals, router, customers, vera.unlimitedOffers, tokens.of),
      skus: await readSkus(databases.warehouse),
      fileOf: await readFiles(routerUrl, vendorToken()),
    };
    const samples: Sample[] = [];
    for (let minute = 1; minute <= minutes; minute++) {
      if (minute % tokensEveryMinutes === 0) await tokens.renew();
      const coresUsed = sampler.startCpu();
      await sendMix(minute, secondsOfMinute, mix);
      const cores = coresUsed();
      await arrivals.drain();
      await sleep(settleMs);
      const tables = await readTables(databases);
      const latencies = arrivals.takeLatencies();
      const held = await sampler.readHeld();
      samples.push({ held, cores, latencies, tables });
      progress(`minute ${minute}: ${JSON.stringify(samples.at(-1))}`);
    }
    const flat = compare(seriesOf(samples), windowsOf(minutes));
    const done = await checkDone(databases, arrivals, mix.buyers, samples);
    return { results: flat.results, checks: [...flat.checks, ...done] };
  } finally {
    sampler.close();
    await retention.stop();
    await router.close();
    await system.stop();
    await Promise.all([postgres.stop(), redis.stop()]);
  }
}

async function openTokens(sessions: readonly SeededSession[], signingKeys: string) {
  let tokens = new Map<string, string>();
  const renew = async () => {
    const signed = await withTokens(sessions, signingKeys);
    tokens = new Map(signed.map(({ userId, accessToken }) => [userId, accessToken]));
  };
  await renew();
  return { renew, of: (userId: string) => tokens.get(userId) as string };
}

async function readSkus(databaseUrl: string): Promise<string[]> {
  const rows = await query(
    databaseUrl,
    'select distinct sku from stock_item order by sku limit $1',
    [skusWatched],
  );
  return rows.map(({ sku }) => sku);
}

async function query(databaseUrl: string, sql: string, parameters: readonly unknown[] = []) {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return (await client.query(sql, [...parameters])).rows;
  } finally {
    await client.end();
  }
}

/** That everything was processed, that each operation left one row where it should, and that the invariants hold. */
async function checkDone(
  databases: DatabaseUrls,
  arrivals: Arrivals,
  buyers: Buyers,
  samples: readonly Sample[],
): Promise<Check[]> {
  const expired = await countExpired(databases.order, buyers.left());
  const invariants = await verifyAtRest(databases);
  // From the first sample on, as a store has rows before it.
  const gained = (table: string, kind: string): Check => {
    const rows = samples.map(({ tables }) => tables[table]?.rows ?? Number.NaN);
    const requests = samples.slice(1).map(({ latencies }) => latencies[kind]?.requests ?? 0);
    const sent = requests.reduce((sum, count) => sum + count, 0);
    const value = rounded(((rows.at(-1) ?? 0) - (rows[0] ?? 0)) / sent, 3);
    return { name: `${table}: rows for each ${kind}`, value, target: '1', pass: value === 1 };
  };
  return [
    gained('warehouse.reservation', 'checkout'),
    gained('user.refresh_token', 'refresh session'),
    {
      name: 'failed arrivals',
      value: arrivals.failed() === 0 ? 0 : `${arrivals.failed()}: ${arrivals.lastError()}`,
      target: '0',
      pass: arrivals.failed() === 0,
    },
    {
      name: 'unpaid orders that expired',
      value: expired,
      target: `${buyers.left()}`,
      pass: expired === buyers.left(),
    },
    invariants,
  ];
}

/** @returns how many have expired, once they are as many as expected or the time for it has ended */
async function countExpired(databaseUrl: string, expected: number): Promise<number> {
  const endMs = performance.now() + (holdMinutes * 60 + expiryMaxSeconds) * 1000;
  for (;;) {
    const [row] = await query(
      databaseUrl,
      `select count(*)::int as orders from customer_order
       where status = 'CANCELLED' and cancel_reason = 'PAYMENT_TIMEOUT'`,
    );
    if (row.orders === expected || performance.now() > endMs) return row.orders;
    await sleep(1000);
  }
}
