import { seedSessions, withTokens } from '../../dev/seed/sessions.js';
import { seedStore } from '../../dev/seed/store.js';
import { migrateAll } from '../../ops/migrate-all.js';
import { shopper } from '../checkout/shopper.js';
import { vendor } from '../checkout/vendor.js';
import { openServers } from '../environment.js';
import { warmUp } from '../load.js';
import type { Outcome } from '../report.js';
import { createGraphQLClient } from '../router/operations.js';
import { startSystemProcesses } from '../system-processes.js';
import { verifyAtRest } from '../verify-at-rest.js';
import { checksOf, type Phases, resultsOf } from './checks.js';
import { measureFanOut } from './fan-out.js';
import { type Crowd, spreadOver, startCrowd, subscriptionCount } from './start-crowd.js';
import { measureWindow, type WindowOptions } from './window.js';

const seconds = Number(process.env.BENCH_SECONDS ?? 5);
const rounds = Number(process.env.BENCH_ROUNDS ?? 3);
const clients = Number(process.env.BENCH_CLIENTS ?? 16);
const variants = Number(process.env.BENCH_VARIANTS ?? 30_000);
const plenty = 1_000_000;
const warmUpCheckouts = 1500;
const openingMaxSeconds = 240;
const replacedSeconds = 20;
const replacedAfterMs = 2000;

/** Measures orders alone and beside 1,000 stock subscriptions, and how fast a change reaches 1,000 subscribers. */
export async function run(progress: (line: string) => void): Promise<Outcome> {
  const { postgres, redis, databases } = await openServers();
  await migrateAll(databases);
  progress(`${await seedStore(databases, variants)} variants seeded`);
  let opened = 0;
  const system = await startSystemProcesses(
    databases,
    redis.url,
    { TRUST_PROXY: 'loopback' },
    (name, line) => {
      const isOpened = line.includes('"circuit opened"');
      if (isOpened) opened += 1;
      // What is not a log line comes from Node: a process that ran out of memory, for example.
      if (isOpened || !line.startsWith('{')) progress(`${name}: ${line}`);
    },
  );
  const routerUrl = `${system.routerUrl}/graphql`;
  const router = createGraphQLClient(routerUrl);
  const crowd = startCrowd();
  try {
    const sessions = await withTokens(
      await seedSessions(databases.user),
      system.secrets.signingKeys,
    );
    const vera = await vendor(router, sessions);
    await vera.stockUp(plenty);
    const customers = sessions.flatMap(({ role, userId: id, accessToken: token }) =>
      role === 'CUSTOMER' ? { id, token } : [],
    );
    const orders = ordersOf(shopper(router, customers), vera.offers);
    progress('fan-out to subscribers');
    const fanOut = await measureFanOut(routerUrl, router);
    for (const order of Object.values(orders)) await warmUp(warmUpCheckouts, order, clients);
    const breakersOpened = () => opened;
    const options = { system, clients, crowdProcessId: crowd.processId, breakersOpened };
    const watch = await spreadOver(databases.warehouse, routerUrl);
    const phases = await measurePhases(orders, options, crowd, () => crowd.open(watch), progress);
    const checks = [...checksOf(phases, fanOut), await verifyAtRest(databases)];
    return { results: [...resultsOf(phases), fanOut], checks };
  } finally {
    await crowd.stop();
    await router.close();
    await system.stop();
    await Promise.all([postgres.stop(), redis.stop()]);
  }
}

type Orders = Readonly<Record<'one offer' | 'many offers', () => Promise<boolean>>>;

function ordersOf(shop: ReturnType<typeof shopper>, offers: readonly string[]): Orders {
  const isAccepted = (typename: string) => typename === 'CheckoutSuccess';
  return {
    'one offer': async () => isAccepted(await shop.order([offers[0] as string])),
    'many offers': async () => isAccepted(await shop.order([shop.oneOf(offers)])),
  };
}

/** The database grows meanwhile, which costs orders too: those alone are measured before the spectators and after. */
async function measurePhases(
  orders: Orders,
  options: WindowOptions,
  crowd: Crowd,
  openCrowd: () => void,
  progress: (line: string) => void,
): Promise<Phases> {
  const hot = orders['one offer'];
  const kinds = Object.entries(orders);
  const windows = async (when: string) => {
    const measured = [];
    for (let round = 0; round < rounds; round++) {
      for (const [kind, order] of kinds) {
        measured.push(await measureWindow(`${kind}, ${when}`, seconds, order, options));
      }
    }
    progress(
      `${when}: ${measured.map(({ ordersPerSecond }) => ordersPerSecond).join(', ')} orders/s`,
    );
    return measured;
  };
  const replaced = (when: string) =>
    measureWindow(`warehouse replaced, ${when}`, replacedSeconds, hot, options, async () => {
      await sleep(replacedAfterMs);
      await options.system.replace('warehouse');
    });
  const before = await windows('alone');
  const replacedBefore = await replaced('alone');
  const opening = await measureWindow('spectators arrive', seconds, hot, options, async () => {
    openCrowd();
    const endMs = performance.now() + openingMaxSeconds * 1000;
    while (crowd.seen().complete < subscriptionCount && performance.now() < endMs) await sleep(100);
  });
  progress(`spectators: ${JSON.stringify(crowd.seen())}`);
  const beside = await windows('beside spectators');
  const besideReplaced = await replaced('beside spectators');
  progress(`spectators: ${JSON.stringify(crowd.seen())}`);
  const { complete } = crowd.seen();
  crowd.close();
  await sleep(2000);
  const after = await windows('alone');
  return {
    alone: [...before, ...after],
    aloneReplaced: [replacedBefore, await replaced('alone')],
    opening,
    beside,
    besideReplaced,
    complete,
  };
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
