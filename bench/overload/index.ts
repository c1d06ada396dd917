import { setTimeout as sleep } from 'node:timers/promises';
import { seedSessions, withTokens } from '../../dev/seed/sessions.js';
import { seedStore } from '../../dev/seed/store.js';
import type { DatabaseUrls } from '../../ops/databases/urls.js';
import { migrateAll } from '../../ops/migrate-all.js';
import { atRest, isBroken, verify } from '../../ops/verify/verify.js';
import { vendor } from '../checkout/vendor.js';
import { cpuMsOf } from '../cpu.js';
import { openServers } from '../environment.js';
import type { Outcome } from '../report.js';
import { createGraphQLClient } from '../router/operations.js';
import { startSystemProcesses } from '../system-processes.js';
import { createCrowd, type Seen } from './crowd.js';
import {
  type ClosedWindow,
  figuresOf,
  type Measured,
  outcomeOf,
  subtract,
  type Window,
} from './outcome.js';
import { checkoutRequests } from './requests.js';

const variants = 20_000;
const plenty = 1_000_000;
const warmUpSeconds = Number(process.env.BENCH_WARM_UP_SECONDS ?? 8);
const bestSeconds = 6;
const clientsOfBest = [64, 96, 256];
const clientsAfter = 64;
const timesCapacity = 4;
const overloadSeconds = Number(process.env.BENCH_SECONDS ?? 25);
const afterSeconds = 12;
/** More than any load: the router as it is without admission. */
const unlimited = { OPERATIONS_MAX: '100000' };

/**
 * Checkouts through the router: closed loops, an open loop of four times their best rate, and closed loops again; then
 * the same for a router that admits everything. The best rate is the highest before or after, since other work on the
 * machine changes it. The CPU time of a refusal is what all processes used under overload beyond what the accepted
 * checkouts cost in the closed loops, divided by the refusals. `BENCH_UNLIMITED=0` leaves out the second system.
 */
export async function run(progress: (line: string) => void): Promise<Outcome> {
  const servers = await openServers();
  const { postgres, redis, databases } = servers;
  try {
    await migrateAll(databases);
    await seedStore(databases, variants);
    const serverIds = { postgres: postgres.processId, redis: redis.process.pid as number };
    const sessions = await seedSessions(databases.user);
    const place = { databases, sessions, redisUrl: redis.url, serverIds, progress };
    const { measured, broken } = await measureSystem(place, {});
    const current = figuresOf('limited', measured);
    const isCompared = process.env.BENCH_UNLIMITED !== '0';
    const other = isCompared
      ? figuresOf('unlimited', (await measureSystem(place, unlimited)).measured).results
      : [];
    return outcomeOf(current, other, broken);
  } finally {
    await Promise.all([postgres.stop(), redis.stop()]);
  }
}

interface Place {
  readonly databases: DatabaseUrls;
  readonly sessions: Awaited<ReturnType<typeof seedSessions>>;
  readonly redisUrl: string;
  readonly serverIds: Readonly<Record<string, number>>;
  progress(line: string): void;
}

async function measureSystem(
  { databases, sessions: seeded, redisUrl, serverIds, progress }: Place,
  settings: Readonly<Record<string, string>>,
): Promise<{ measured: Measured; broken: readonly string[] }> {
  const system = await startSystemProcesses(databases, redisUrl, settings, () => {});
  const router = createGraphQLClient(`${system.routerUrl}/graphql`);
  const parts = { ...system.processIds, ...serverIds };
  const cpuMs = () =>
    Object.fromEntries(Object.entries(parts).map(([name, id]) => [name, cpuMsOf(id)]));
  try {
    const { signingKeys } = system.secrets;
    const sessions = await withTokens(seeded, signingKeys);
    const tokens = sessions
      .filter(({ role }) => role === 'CUSTOMER')
      .map(({ accessToken }) => accessToken);
    const vera = await vendor(router, sessions);
    await vera.stockUp(plenty);
    const requests = checkoutRequests(tokens, vera.unlimitedOffers[0] as string);
    const crowd = createCrowd(Number(new URL(system.routerUrl).port), requests);
    const measure = async (work: () => Promise<Seen>): Promise<Window> => {
      const before = cpuMs();
      const ownBefore = process.cpuUsage();
      const startedMs = performance.now();
      const seen = await work();
      const seconds = (performance.now() - startedMs) / 1000;
      const { user, system: kernel } = process.cpuUsage(ownBefore);
      return { seen, seconds, used: subtract(cpuMs(), before), ownMs: (user + kernel) / 1000 };
    };
    const measureClosed = async () => {
      const windows: ClosedWindow[] = [];
      for (const clients of clientsOfBest) {
        const window = await measure(() => crowd.closedLoop(clients, bestSeconds));
        windows.push({ ...window, clients });
        const rate = Math.round(window.seen.counts.accepted / window.seconds);
        progress(`${clients} clients: ${rate} checkouts/s`);
      }
      return windows;
    };
    await crowd.closedLoop(clientsAfter, warmUpSeconds);
    progress('warm-up done');
    const before = await measureClosed();
    const bestRate = Math.max(...before.map(({ seen, seconds }) => seen.counts.accepted / seconds));
    const over = await measure(() => crowd.openLoop(bestRate * timesCapacity, overloadSeconds));
    await crowd.leave();
    progress(`overload: ${JSON.stringify(over.seen.counts)}`);
    const after = await crowd.closedLoop(clientsAfter, afterSeconds);
    const closed = [...before, ...(await measureClosed())];
    await crowd.leave();
    await sleep(1000);
    // While it runs: checkouts that stopped half-way are still to be cancelled.
    const broken = (await verify(databases, atRest))
      .filter((verdict) => isBroken([verdict]))
      .map(({ name }) => name);
    const normal = before[0] as Window;
    return { measured: { closed, over, after, normal, clientsAfter }, broken };
  } finally {
    await router.close();
    await system.stop();
  }
}
