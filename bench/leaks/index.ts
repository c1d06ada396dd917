import pg from 'pg';
import { seedStore } from '../../dev/seed/store.js';
import { migrateAll } from '../../ops/migrate-all.js';
import { openServers } from '../environment.js';
import { readMetrics } from '../metrics.js';
import { type CaseResult, type Check, type Outcome, rounded } from '../report.js';
import { type SystemProcesses, startSystemProcesses } from '../system-processes.js';
import { abortStreams, subscribeAndLeave } from './clients.js';
import { type Held, openInspector } from './inspector.js';

const subscriptionRounds = Number(process.env.BENCH_SUBSCRIPTIONS ?? 10_000);
const abortedStreams = Number(process.env.BENCH_STREAMS ?? 1000);
const sockets = 16;
const skusUsed = 200;
// After this many rounds the caches are full and the hot code is compiled.
const warmUpRounds = 2000;
const warmUpStreams = 300;
const closedMaxSeconds = 15;
const growthMaxMb = 2;
const processes = ['router', 'warehouse'] as const;
type Name = (typeof processes)[number];

const openGauges = [
  ['router', 'holdfast_subscriptions_open'],
  ['router', 'holdfast_subscription_upstreams'],
  ['router', 'holdfast_websockets_open'],
  ['warehouse', 'holdfast_stock_subscriptions'],
] as const;

/** Measures what remains in router and warehouse of subscriptions that clients left, and of streams that they aborted. */
export async function run(progress: (line: string) => void): Promise<Outcome> {
  const { postgres, redis, databases } = await openServers();
  await migrateAll(databases);
  await seedStore(databases, 1000);
  const inspectorUrls = new Map<string, string>();
  const settings = { NODE_OPTIONS: '--inspect=127.0.0.1:0' };
  const system = await startSystemProcesses(databases, redis.url, settings, (name, line) => {
    const [, url] = /^Debugger listening on (ws:\S+)/.exec(line) ?? [];
    if (url) inspectorUrls.set(name, url);
  });
  const routerUrl = `${system.routerUrl}/graphql`;
  const inspectors = await Promise.all(
    processes.map(
      async (name) => [name, await openInspector(inspectorUrls.get(name) as string)] as const,
    ),
  );
  const readAll = async () =>
    Object.fromEntries(
      await Promise.all(inspectors.map(async ([name, each]) => [name, await each.read()] as const)),
    ) as Record<Name, Held>;
  try {
    const skus = await readSkus(databases.warehouse);
    await subscribeAndLeave(routerUrl, skus, warmUpRounds, sockets);
    await abortStreams(routerUrl, skus, warmUpStreams, sockets);
    await openAfterwards(system);
    const before = await readAll();
    progress('warm-up done');
    const received = await subscribeAndLeave(routerUrl, skus, subscriptionRounds, sockets);
    progress(`${subscriptionRounds} subscriptions, ${received} of them with an event`);
    const subscribed = await openAfterwards(system);
    const between = await readAll();
    await abortStreams(routerUrl, skus, abortedStreams, sockets);
    progress(`${abortedStreams} aborted streams`);
    const aborted = await openAfterwards(system);
    const after = await readAll();
    return {
      results: [
        ...rowsOf(`${subscriptionRounds} subscriptions`, before, between),
        ...rowsOf(`${abortedStreams} aborted streams`, between, after),
      ],
      checks: [
        receivedCheck(received),
        openCheck('after the subscriptions', subscribed),
        openCheck('after the aborted streams', aborted),
        ...processes.flatMap((name) => heldChecks(name, before[name], after[name])),
      ],
    };
  } finally {
    for (const [, each] of inspectors) each.close();
    await system.stop();
    await Promise.all([postgres.stop(), redis.stop()]);
  }
}

async function readSkus(databaseUrl: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const { rows } = await client.query('select distinct sku from stock_item order by sku limit $1', [
    skusUsed,
  ]);
  await client.end();
  return rows.map(({ sku }) => sku);
}

/** @returns what is open once all has been closed, or at the end of the time for it */
async function openAfterwards({ metricsUrl }: SystemProcesses): Promise<Record<string, number>> {
  const endMs = performance.now() + closedMaxSeconds * 1000;
  for (;;) {
    const entries = await Promise.all(
      openGauges.map(
        async ([name, gauge]) => [gauge, (await readMetrics(metricsUrl(name)))(gauge)] as const,
      ),
    );
    const isClosed = entries.every(([, open]) => open === 0);
    if (isClosed || performance.now() > endMs) return Object.fromEntries(entries);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

const mbOf = ({ heapBytes }: Held) => rounded(heapBytes / 2 ** 20, 2);

function rowsOf(
  what: string,
  before: Readonly<Record<Name, Held>>,
  after: Readonly<Record<Name, Held>>,
): CaseResult[] {
  return processes.map((name) => {
    const [from, to] = [before[name], after[name]];
    return {
      case: `${what}, ${name}`,
      'heap MB': [mbOf(from), mbOf(to)],
      sockets: [from.sockets, to.sockets],
      timers: [from.timers, to.timers],
      'abort signals': [from.abortSignals, to.abortSignals],
    };
  });
}

const receivedCheck = (received: number): Check => ({
  name: 'subscriptions that received an event',
  value: received,
  target: `${subscriptionRounds / 2}`,
  pass: received === subscriptionRounds / 2,
});

function openCheck(when: string, open: Readonly<Record<string, number>>): Check {
  const left = Object.entries(open).filter(([, count]) => count !== 0);
  return {
    name: `open ${when}`,
    value: left.map(([gauge, count]) => `${gauge} ${count}`).join(', ') || 'nothing',
    target: 'nothing',
    pass: left.length === 0,
  };
}

function heldChecks(name: Name, before: Held, after: Held): Check[] {
  const growth = rounded(mbOf(after) - mbOf(before), 2);
  const grown = (what: string, count: number, max: number): Check => ({
    name: `${name}: more ${what} than before`,
    value: count,
    target: `≤ ${max}`,
    pass: count <= max,
  });
  // Connections to subgraphs, to Redis and PostgreSQL are pooled, and may be open or not.
  const pooledMax = 20;
  return [
    {
      name: `${name}: growth of the heap after garbage collection, MB`,
      value: growth,
      target: `< ${growthMaxMb}`,
      pass: growth < growthMaxMb,
    },
    grown('sockets', after.sockets - before.sockets, pooledMax),
    grown('timers', after.timers - before.timers, pooledMax),
    grown('abort signals', after.abortSignals - before.abortSignals, pooledMax),
  ];
}
