import { Pool } from 'undici';
import { seedId } from '../../dev/seed/ids.js';
import { seedStore } from '../../dev/seed/store.js';
import { migrateAll } from '../../ops/migrate-all.js';
import { openServers } from '../environment.js';
import {
  clientsDefault,
  cpuMsOfAll,
  type Measured,
  type MeasuredCases,
  measureCases,
  medianOf,
  resultsOf,
} from '../load.js';
import { type Outcome, rounded } from '../report.js';
import { startSystemProcesses } from '../system-processes.js';

const seconds = Number(process.env.BENCH_SECONDS ?? 5);
const rounds = Number(process.env.BENCH_ROUNDS ?? 3);
// The cases to measure, separated by commas. Default: all.
const chosen = process.env.BENCH_CASES?.split(',');
const warmUpRequests = 600;
// 10,000 products of three variants in three shops with two warehouses each.
const variants = Number(process.env.BENCH_VARIANTS ?? 30_000);

const listFields = `edges { node { id name images variants { sku name
  offers(first: 2) { id price { amount currencyCode } shop { name } }
  availability { available version } } } } pageInfo { hasNextPage endCursor }`;
const list = (args: string) => `{ products(${args}) { ${listFields} } }`;

/** Measures catalogue queries through the router, compared with a bare `{ __typename }`. */
export async function run(progress: (line: string) => void): Promise<Outcome> {
  const { postgres, redis, databases } = await openServers();
  await migrateAll(databases);
  const seeded = await seedStore(databases, variants);
  progress(`${seeded} variants seeded`);
  const system = await startSystemProcesses(databases, redis.url);
  const pool = new Pool(system.routerUrl, { connections: clientsDefault });
  try {
    const cases = Object.entries(await operationsFor(pool))
      .filter(([name]) => chosen?.includes(name) ?? true)
      .map(([name, operations]) => [name, sender(pool, operations)] as const);
    const processIds = { ...system.processIds, postgres: postgres.processId };
    const options = { rounds, seconds, warmUpRequests, processIds, progress };
    const measured = await measureCases(Object.fromEntries(cases), options);
    return outcomeOf(measured);
  } finally {
    await pool.close();
    await system.stop();
    await Promise.all([postgres.stop(), redis.stop()]);
  }
}

interface Operation {
  readonly query: string;
  readonly variables?: { readonly after: string };
}
/** The operations of a case, sent in turn. */
type Operations = readonly Operation[];

async function operationsFor(pool: Pool): Promise<Record<string, Operations>> {
  const cursors: string[] = [];
  for (let page = 1; page < 100; page++) {
    const after = cursors.length > 0 ? `, after: "${cursors.at(-1)}"` : '';
    const query = `{ products(first: 20${after}) { pageInfo { endCursor } } }`;
    const found = await send(pool, { query });
    cursors.push(found.data?.products?.pageInfo.endCursor as string);
  }
  const category = seedId('category', 0);
  const anyPage = list('first: 20, after: $after').replace('{', 'query ($after: String) {');
  const one = Object.entries({
    bare: '{ __typename }',
    'first page': list('first: 20'),
    'page 100': list(`first: 20, after: "${cursors.at(-1)}"`),
    search: list('first: 20, filter: { search: "runing shoe" }, sort: RELEVANCE'),
    filter: list(
      `first: 20, sort: PRICE_ASC, filter: { categoryId: "${category}", minPrice: "20", maxPrice: "150", currencyCode: "USD", inStock: true }`,
    ),
    product: `{ product(id: "${seedId('product', 7)}") { name description variants { sku name
      offers { id price { amount } shop { name } availability { available } } availability { available } } } }`,
  }).map(([name, query]) => [name, [{ query }]] as const);
  return {
    ...Object.fromEntries(one),
    // No two equal requests are in flight at the same time.
    'different pages': cursors.map((after) => ({ query: anyPage, variables: { after } })),
  };
}

interface Reply {
  readonly data?: { products?: { pageInfo: { endCursor: string } } };
  readonly errors?: unknown;
}

async function send(pool: Pool, operation: Operation): Promise<Reply> {
  const { body } = await pool.request({
    method: 'POST',
    path: '/graphql',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(operation),
  });
  const reply = (await body.json()) as Reply;
  if (reply.errors) throw new Error(JSON.stringify(reply.errors));
  return reply;
}

/** @returns a function that sends the operations of a case, one per call, in a cycle */
function sender(pool: Pool, operations: Operations): () => Promise<Reply> {
  let sent = 0;
  return () => send(pool, operations[sent++ % operations.length] as Operation);
}

const bareShareMin = 0.05;
const cpuMaxMs = 8;

function outcomeOf(measured: MeasuredCases): Outcome {
  const of = (name: string, figure: (one: Measured) => number) => medianOf(measured, name, figure);
  const cpuOf = (name: string) => of(name, cpuMsOfAll);
  const share = of('first page', ({ rate }) => rate) / of('bare', ({ rate }) => rate);
  const first = of('first page', ({ p50Ms }) => p50Ms);
  const hundredth = of('page 100', ({ p50Ms }) => p50Ms);
  return {
    results: resultsOf(measured),
    checks: [
      {
        name: 'first page: share of the bare rate',
        value: rounded(share, 3),
        target: `≥ ${bareShareMin}`,
        pass: share >= bareShareMin,
      },
      {
        name: 'first page: CPU time of a request, ms',
        value: rounded(cpuOf('first page'), 2),
        target: `< ${cpuMaxMs}`,
        pass: cpuOf('first page') < cpuMaxMs,
      },
      {
        name: 'page 100: p50 relative to that of page 1',
        value: rounded(hundredth / first, 2),
        target: '≤ 1.2',
        pass: hundredth / first <= 1.2,
      },
    ],
  };
}
