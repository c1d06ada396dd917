import { isDeepStrictEqual } from 'node:util';
import { seedStore } from '../../dev/seed/store.js';
import { migrateAll } from '../../ops/migrate-all.js';
import { openServers } from '../environment.js';
import { measureCases } from '../load.js';
import type { Outcome } from '../report.js';
import { startSystemProcesses } from '../system-processes.js';
import { type Column, startGateways } from './gateways/index.js';
import { createGraphQLClient, type GraphQLClient, readCursors } from './operations.js';
import { outcomeOf, rowNames } from './outcome.js';

const seconds = Number(process.env.BENCH_SECONDS ?? 5);
const rounds = Number(process.env.BENCH_ROUNDS ?? 5);
const warmUpRequests = 500;
const variants = 6000;

/** Measures the CPU time of the router, and of other gateways in front of the same subgraphs. */
export async function run(progress: (line: string) => void): Promise<Outcome> {
  const { postgres, redis, databases } = await openServers();
  await migrateAll(databases);
  progress(`${await seedStore(databases, variants)} variants seeded`);
  // With everything that production does, including a log line for each request.
  const system = await startSystemProcesses(databases, redis.url, { LOG_LEVEL: 'info' });
  const ours = { url: `${system.routerUrl}/graphql`, processId: system.processIds.router };
  const others = await startGateways(system, progress);
  const gateways = Object.entries({ ours, ...others.started }) as [Column, typeof ours][];
  const clients = gateways.map(
    ([column, { url }]) => [column, createGraphQLClient(url)] as readonly [Column, GraphQLClient],
  );
  try {
    const cursors = await readCursors(clients[0]?.[1] as GraphQLClient);
    const senders = clients.map(
      ([column, client]) => [column, sendersOf(client, cursors, column === 'bare')] as const,
    );
    await compareAnswers(senders);
    const cases = rowNames.flatMap((row) =>
      senders.map(([column, send]) => [`${row}, ${column}`, send[row]] as const),
    );
    const { product, shop, warehouse } = system.processIds;
    const processIds = {
      ...Object.fromEntries(gateways.map(([column, { processId }]) => [column, processId])),
      product,
      shop,
      warehouse,
      postgres: postgres.processId,
    };
    const options = { rounds, seconds, warmUpRequests, processIds, progress };
    return outcomeOf(await measureCases(Object.fromEntries(cases), options));
  } finally {
    await Promise.all(clients.map(([, client]) => client.close()));
    await others.stop();
    await system.stop();
    await Promise.all([postgres.stop(), redis.stop()]);
  }
}

type Senders = Readonly<Record<(typeof rowNames)[number], () => Promise<unknown>>>;

/** @param retries because Apollo's fetcher fails sometimes, if a subgraph closes a connection that it is about to use */
function sendersOf(client: GraphQLClient, cursors: readonly string[], retries: boolean): Senders {
  const senders: Senders = {
    '{ __typename }': () => client.send('{ __typename }', {}),
    'one hop': client.distinctPages('one hop', cursors),
    'two hops': client.distinctPages('two hops', cursors),
    'three hops': client.distinctPages('three hops', cursors),
    'two hops, the same page': client.samePage('two hops'),
  };
  const retryingOnce = (send: () => Promise<unknown>) => () => send().catch(send);
  const entries = Object.entries(senders).map(([row, send]) => [row, retryingOnce(send)]);
  return retries ? Object.fromEntries(entries) : senders;
}

/** A gateway that answers something else does other work. @throws if one does */
async function compareAnswers(senders: readonly (readonly [Column, Senders])[]): Promise<void> {
  for (const row of rowNames) {
    let expected: unknown;
    for (const [column, send] of senders) {
      const { data } = (await send[row]()) as { data: unknown };
      expected ??= data;
      if (!isDeepStrictEqual(data, expected)) {
        throw new Error(`${column} answers ${row} with other data than the router`);
      }
    }
  }
}
