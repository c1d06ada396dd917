import { seedStore } from '../../dev/seed/store.js';
import { migrateAll } from '../../ops/migrate-all.js';
import { callerCredentials, callerHeader } from '../../subgraphs/shared/auth/callers.js';
import { openServers } from '../environment.js';
import { type Measured, type MeasuredCases, measureCases } from '../load.js';
import { type CaseResult, median, type Outcome, rounded } from '../report.js';
import { type SystemProcesses, startSystemProcesses } from '../system-processes.js';
import { startBareGateway } from './bare.js';
import { measureFanOut } from './fan-out.js';
import { createGraphQLClient, type GraphQLClient, readCursors } from './operations.js';

const seconds = Number(process.env.BENCH_SECONDS ?? 5);
const rounds = Number(process.env.BENCH_ROUNDS ?? 3);
const warmUpRequests = 1000;
const variants = 6000;
const shareMax = 0.6;

/** Measures the CPU time of the router compared with a bare gateway, and the fan-out of stock changes. */
export async function run(progress: (line: string) => void): Promise<Outcome> {
  const { postgres, redis, databases } = await openServers();
  await migrateAll(databases);
  progress(`${await seedStore(databases, variants)} variants seeded`);
  // With everything that production does, including a log line for each request.
  const system = await startSystemProcesses(databases, redis.url, { LOG_LEVEL: 'info' });
  const bare = await startBareGateway(system);
  const clients = {
    router: createGraphQLClient(`${system.routerUrl}/graphql`),
    product: productSubgraph(system),
    bare: createGraphQLClient(bare.url),
  };
  try {
    const processIds = { ...system.processIds, bare: bare.processId, postgres: postgres.processId };
    const measured = await measure(clients, processIds, progress);
    progress('fan-out to subscribers');
    const fanOut = await measureFanOut(`${system.routerUrl}/graphql`, clients.router);
    return outcomeOf(measured, fanOut);
  } finally {
    await Promise.all(Object.values(clients).map((each) => each.close()));
    await bare.stop();
    await system.stop();
    await Promise.all([postgres.stop(), redis.stop()]);
  }
}

/** Sends requests to the product subgraph as the router does. */
function productSubgraph({ environments, secrets }: SystemProcesses) {
  const { PRODUCT_URL } = environments.router;
  const credentials = callerCredentials('router', secrets.callers.ROUTER_SECRET as string);
  return createGraphQLClient(PRODUCT_URL, { [callerHeader]: credentials });
}

/** The bare gateway's fetcher fails sometimes, if a subgraph closes a connection that it is about to use. */
const retryingOnce = (send: () => Promise<unknown>) => () => send().catch(send);

type Clients = Readonly<Record<'router' | 'product' | 'bare', GraphQLClient>>;

async function measure(
  { router, product, bare }: Clients,
  processIds: Readonly<Record<string, number>>,
  progress: (line: string) => void,
): Promise<MeasuredCases> {
  const cursors = await readCursors(router);
  const cases = {
    'one hop at the subgraph': product.distinctPages('one hop', cursors),
    'one hop': router.distinctPages('one hop', cursors),
    'two hops': router.distinctPages('two hops', cursors),
    'two hops, bare gateway': retryingOnce(bare.distinctPages('two hops', cursors)),
    'three hops': router.distinctPages('three hops', cursors),
    'two hops, all the same': router.samePage('two hops'),
    'two hops, all the same, bare gateway': retryingOnce(bare.samePage('two hops')),
  };
  return measureCases(cases, { rounds, seconds, warmUpRequests, processIds, progress });
}

function outcomeOf(measured: MeasuredCases, fanOut: CaseResult): Outcome {
  const of = (name: string, figure: (one: Measured) => number) =>
    median((measured.get(name) ?? []).map(figure));
  const cpuOf = (name: string, part: string) => of(name, ({ cpuMs }) => cpuMs[part] ?? 0);
  const parts = ['router', 'bare', 'product', 'shop', 'warehouse', 'postgres'];
  const results = [...measured.keys()].map((name) => ({
    case: name,
    ratePerSecond: rounded(of(name, ({ rate }) => rate)),
    p50Ms: rounded(of(name, ({ p50Ms }) => p50Ms)),
    p99Ms: rounded(of(name, ({ p99Ms }) => p99Ms)),
    ...Object.fromEntries(
      parts.map((part) => [`${part} cpuMs`, rounded(cpuOf(name, part), 2)] as const),
    ),
  }));
  const share = cpuOf('two hops', 'router') / cpuOf('two hops, bare gateway', 'bare');
  return {
    results: [...results, fanOut],
    checks: [
      {
        name: 'two hops: CPU time of the router, relative to the bare gateway',
        value: rounded(share, 2),
        target: `≤ ${shareMax}`,
        pass: share <= shareMax,
      },
    ],
  };
}
