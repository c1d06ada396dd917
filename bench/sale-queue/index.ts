import pg from 'pg';
import { openBuyers } from '../../dev/seed/buyers.js';
import { seedSessions, withTokens } from '../../dev/seed/sessions.js';
import { seedStore } from '../../dev/seed/store.js';
import { migrateAll } from '../../ops/migrate-all.js';
import { vendor } from '../checkout/vendor.js';
import { openServers } from '../environment.js';
import type { CaseResult, Check, Outcome } from '../report.js';
import { createGraphQLClient } from '../router/operations.js';
import { startSystemProcesses } from '../system-processes.js';
import { verifyAtRest } from '../verify-at-rest.js';
import { measureAdmission } from './admission.js';
import { measureDraw } from './draw.js';
import { measureJoins } from './joins.js';
import { untilRow } from './open-queue.js';
import type { Part, Place } from './place.js';
import { measureReturns } from './returns.js';
import { measureWatchers, watchersCount } from './watchers.js';

const variants = 2000;
const plenty = 1_000_000;
const settings = {
  OPEN_ORDERS_MAX: '3',
  OPEN_UNITS_PER_OFFER_MAX: '20',
  // All of them have one address.
  SUBSCRIPTIONS_PER_CLIENT_MAX: `${watchersCount}`,
};

/** Of the logs: the router logs an error for each subscription of a client that leaves. */
const linesMax = 50;
const lineMax = 500;
/** Requests that are answered with `TRY_AGAIN` are warnings. */
const isBelowError = /^{"level":[1234]0,/;

const parts: Readonly<Record<string, Part>> = {
  joins: measureJoins,
  admission: measureAdmission,
  returns: measureReturns,
  watchers: measureWatchers,
  draw: measureDraw,
};

export const help = `npm run bench -- sale-queue

The queue of a sale: many join within seconds, a sale with buyers of whom some never order, the time from a unit that
comes back to the next admission, many who wait and watch, and the draw of a long list. BENCH_CASES chooses among
${Object.keys(parts).join(', ')}, separated by commas.`;

/** Measures the queue of a sale, through the router where customers are meant. */
export async function run(progress: (line: string) => void): Promise<Outcome> {
  const names = process.env.BENCH_CASES?.split(',') ?? Object.keys(parts);
  const { postgres, redis, databases } = await openServers();
  await migrateAll(databases);
  await seedStore(databases, variants);
  let shown = 0;
  const system = await startSystemProcesses(databases, redis.url, settings, (name, line) => {
    if (isBelowError.test(line) || shown++ >= linesMax) return;
    progress(`${name}: ${line.slice(0, lineMax)}`);
  });
  const router = createGraphQLClient(`${system.routerUrl}/graphql`);
  const { order, product, shop, warehouse } = databases;
  const clients = await openClients({ order, product, shop, warehouse, admin: postgres.url });
  const place: Place = {
    ...{ system, router, ...clients, progress, postgresId: postgres.processId },
    async vendor() {
      const seeded = await seedSessions(databases.user);
      return vendor(router, await withTokens(seeded, system.secrets.signingKeys));
    },
    buyers: (count) => openBuyers({ databases, secrets: system.secrets }, count),
  };
  try {
    await (await place.vendor()).stockUp(plenty);
    const results: CaseResult[] = [];
    const checks: Check[] = [];
    for (const [name, measure] of Object.entries(parts)) {
      if (!names.includes(name)) continue;
      progress(name);
      const measured = await measure(place);
      for (const result of measured.results) progress(JSON.stringify(result));
      results.push(...measured.results);
      checks.push(...measured.checks);
    }
    await untilSent(place);
    return { results, checks: [...checks, await verifyAtRest(databases)] };
  } finally {
    await router.close();
    await Promise.all(Object.values(clients).map((client) => client.end()));
    await system.stop();
    await Promise.all([postgres.stop(), redis.stop()]);
  }
}

/** Waits until other subgraphs have been sent what changed. */
async function untilSent({ order, shop, warehouse }: Place): Promise<void> {
  const allSent = `select where not exists (
    select from outbox where sent_at is null and dead_at is null)`;
  for (const client of [order, shop, warehouse]) await untilRow(client, allSent, []);
}

async function openClients<Name extends string>(urls: Readonly<Record<Name, string>>) {
  const clients = {} as Record<Name, pg.Client>;
  for (const name of Object.keys(urls) as Name[]) {
    clients[name] = new pg.Client({ connectionString: urls[name] });
    await clients[name].connect();
  }
  return clients;
}
