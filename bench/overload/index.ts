import { setTimeout as sleep } from 'node:timers/promises';
import { seedSessions, withTokens } from '../../dev/seed/sessions.js';
import { seedStore } from '../../dev/seed/store.js';
import { migrateAll } from '../../ops/migrate-all.js';
import { atRest, isBroken, verify } from '../../ops/verify/verify.js';
import { vendor } from '../checkout/vendor.js';
import { cpuMsOf } from '../cpu.js';
import { openServers } from '../environment.js';
import {
  type CaseResult,
  type Check,
  invariantsCheck,
  median,
  type Outcome,
  percentile,
  rounded,
} from '../report.js';
import { createGraphQLClient } from '../router/operations.js';
import { startSystemProcesses } from '../system-processes.js';
import { createCrowd, type Seen } from './crowd.js';
import { checkoutRequests } from './requests.js';

const variants = 20_000;
const plenty = 1_000_000;
const warmUpSeconds = Number(process.env.BENCH_WARM_UP_SECONDS ?? 8);
const bestSeconds = 6;
const mostClients = 256;
const clientsOfBest = [64, 128, mostClients];
const clientsAfter = 64;
const timesCapacity = 4;
const overloadSeconds = Number(process.env.BENCH_SECONDS ?? 25);
const afterSeconds = 12;
const acceptedShareMin = 0.7;
const refusalCpuMsMax = 0.3;
const refusedMsMax = 1000;
const backSecondsMax = 5;
// A second of a machine that others use too is not exactly like another.
const backShare = 0.9;

/**
 * Checkouts through the router: the best rate of a closed loop, then an open loop of four times that rate, then the
 * closed loop again. The CPU time of a refusal is what the processes used under overload beyond what the accepted
 * checkouts cost, divided by the refusals. What a checkout costs is measured before and after, with as many clients as
 * a router accepts at once, since other work on the machine changes it.
 */
export async function run(progress: (line: string) => void): Promise<Outcome> {
  const { postgres, redis, databases } = await openServers();
  await migrateAll(databases);
  await seedStore(databases, variants);
  const system = await startSystemProcesses(databases, redis.url, {}, () => {});
  const router = createGraphQLClient(`${system.routerUrl}/graphql`);
  const parts = { ...system.processIds, postgres: postgres.processId };
  const cpuMs = () =>
    Object.fromEntries(Object.entries(parts).map(([name, id]) => [name, cpuMsOf(id)]));
  try {
    const sessions = await withTokens(
      await seedSessions(databases.user),
      system.secrets.signingKeys,
    );
    const tokens = sessions
      .filter(({ role }) => role === 'CUSTOMER')
      .map(({ accessToken }) => accessToken);
    const vera = await vendor(router, sessions);
    await vera.stockUp(plenty);
    const requests = checkoutRequests(tokens, vera.unlimitedOffers[0] as string);
    const crowd = createCrowd(Number(new URL(system.routerUrl).port), requests);
    const measure = async (work: () => Promise<Seen>) => {
      const before = cpuMs();
      const ownBefore = process.cpuUsage();
      const startedMs = performance.now();
      const seen = await work();
      const seconds = (performance.now() - startedMs) / 1000;
      const after = cpuMs();
      const used = Object.keys(parts).map((name) => [name, sub(after, before, name)] as const);
      const { user, system: kernel } = process.cpuUsage(ownBefore);
      return { seen, seconds, used: Object.fromEntries(used), ownMs: (user + kernel) / 1000 };
    };
    await crowd.closedLoop(clientsAfter, warmUpSeconds);
    progress('warm-up done');
    const closed = [];
    for (const clients of clientsOfBest) {
      const one = await measure(() => crowd.closedLoop(clients, bestSeconds));
      closed.push({ ...one, clients, rate: one.seen.counts.accepted / one.seconds });
      progress(`${clients} clients: ${rounded(closed.at(-1)?.rate ?? 0)} checkouts/s`);
    }
    const best = closed.reduce((max, each) => (each.rate > max.rate ? each : max));
    const normal = closed.find(({ clients }) => clients === clientsAfter)?.rate as number;
    const over = await measure(() => crowd.openLoop(best.rate * timesCapacity, overloadSeconds));
    progress(`overload: ${JSON.stringify(over.seen.counts)}`);
    await crowd.leave();
    const after = await crowd.closedLoop(clientsAfter, afterSeconds);
    const later = await measure(() => crowd.closedLoop(mostClients, bestSeconds));
    await crowd.leave();
    await sleep(1000);
    const broken = (await verify(databases, atRest))
      .filter((verdict) => isBroken([verdict]))
      .map(({ name }) => name);
    const beside = [closed.at(-1) as Window, later];
    return outcomeOf({ best, normal, over, beside, after, broken });
  } finally {
    await router.close();
    await system.stop();
    await Promise.all([postgres.stop(), redis.stop()]);
  }
}

type Used = Readonly<Record<string, number>>;
interface Window {
  readonly seen: Seen;
  readonly seconds: number;
  readonly used: Used;
  readonly ownMs: number;
}

const sub = (after: Used, before: Used, name: string) => (after[name] ?? 0) - (before[name] ?? 0);
const sum = (used: Used) => Object.values(used).reduce((total, ms) => total + ms, 0);

function outcomeOf(measured: {
  readonly best: Window & { readonly rate: number; readonly clients: number };
  readonly normal: number;
  readonly over: Window;
  /** without refusals, before and after */
  readonly beside: readonly Window[];
  readonly after: Seen;
  readonly broken: readonly string[];
}): Outcome {
  const { best, normal, over, beside, after, broken } = measured;
  const { accepted, refused, other, sent, unsent } = over.seen.counts;
  const share = accepted / over.seconds / best.rate;
  const placed = beside.reduce((total, { seen }) => total + seen.counts.accepted, 0);
  const beyond = (of: (used: Used) => number) => {
    const ofCheckouts = beside.reduce((total, { used }) => total + of(used), 0);
    return (of(over.used) - (ofCheckouts / placed) * accepted) / refused;
  };
  const refusalMs = refused === 0 ? Number.NaN : beyond(sum);
  const refusedMs = percentile(over.seen.refusedMs, 0.99);
  const backSeconds = after.acceptedBySecond.findIndex((rate) => (rate ?? 0) >= normal * backShare);
  const results: CaseResult[] = [
    {
      case: 'best rate, closed loop',
      ratePerSecond: rounded(best.rate),
      clients: best.clients,
      p50Ms: rounded(percentile(best.seen.acceptedMs, 0.5)),
      'CPU ms of a checkout': rounded(sum(best.used) / best.seen.counts.accepted, 2),
      'generator, share of a core': rounded(best.ownMs / best.seconds / 1000, 2),
    },
    {
      case: `${timesCapacity} × as many arrivals, open loop`,
      ratePerSecond: rounded(accepted / over.seconds),
      p50Ms: rounded(percentile(over.seen.acceptedMs, 0.5)),
      'generator, share of a core': rounded(over.ownMs / over.seconds / 1000, 2),
      'accepted by second': over.seen.acceptedBySecond,
      sent,
      refused,
      other,
      unsent,
      'refused p50Ms': rounded(percentile(over.seen.refusedMs, 0.5)),
      'refused p99Ms': rounded(refusedMs),
      'CPU ms of a refusal, all': rounded(refusalMs, 3),
      'CPU ms of a refusal, router': rounded(
        beyond((used) => used.router ?? 0),
        3,
      ),
    },
    {
      case: 'closed loop after it',
      ratePerSecond: rounded(median(after.acceptedBySecond.slice(backSecondsMax))),
      clients: clientsAfter,
      'accepted by second': after.acceptedBySecond,
    },
  ];
  const check = (name: string, value: number, target: string, pass: boolean): Check => {
    return { name, value, target, pass };
  };
  const checks = [
    check('accepted, of the best rate', rounded(share, 2), '≥ 0.7', share >= acceptedShareMin),
    check(
      'CPU of a refusal, ms',
      rounded(refusalMs, 3),
      `≤ ${refusalCpuMsMax}`,
      refusalMs <= refusalCpuMsMax,
    ),
    check('refused within, ms (p99)', rounded(refusedMs), '≤ 1000', refusedMs <= refusedMsMax),
    check(
      'seconds until the rate is normal',
      backSeconds,
      `≤ ${backSecondsMax}`,
      backSeconds >= 0 && backSeconds <= backSecondsMax,
    ),
    invariantsCheck(broken),
  ];
  return { results, checks };
}
