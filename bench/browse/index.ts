import { Pool } from 'undici';
import { seedId } from '../../dev/seed/ids.js';
import { seedStore } from '../../dev/seed/store.js';
import { migrateAll } from '../../ops/migrate-all.js';
import { openServers } from '../environment.js';
import {
  clientsUsual,
  cpuMsOfAll,
  type Measured,
  type MeasuredCases,
  measureCases,
  resultsOf,
} from '../load.js';
import { median, type Outcome, rounded } from '../report.js';
import { startSystemProcesses } from '../system-processes.js';

const seconds = Number(process.env.BENCH_SECONDS ?? 5);
const rounds = Number(process.env.BENCH_ROUNDS ?? 3);
// The cases to measure, separated by commas; all where it is not set.
const chosen = process.env.BENCH_CASES?.split(',');
const warmUpRequests = 600;
// 10,000 products of three variants in three shops with two warehouses each.
const variants = Number(process.env.BENCH_VARIANTS ?? 30_000);

const listFields = `edges { node { id name images variants { sku name
  offers(first: 2) { id price { amount currencyCode } shop { name } }
  availability { available version } } } } pageInfo { hasNextPage endCursor }`;
const list = (args: string) => `{ products(${args}) { ${listFields} } }`;

/** What it costs to look at the catalogue, through the router, beside a bare `{ __typename }`. */
export async function run(progress: (line: string) => void): Promise<Outcome> {
  const { postgres, redis, databases } = await openServers();
  await migrateAll(databases);
  const seeded = await seedStore(databases, variants);
  progress(`${seeded} variants are seeded`);
  const system = await startSystemProcesses(databases, redis.url);
  const pool = new Pool(system.routerUrl, { connections: clientsUsual });
  try {
    const cases = Object.entries(await questionsFor(pool))
      .filter(([name]) => chosen?.includes(name) ?? true)
      .map(([name, questions]) => [name, asker(pool, questions)] as const);
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

interface Question {
  readonly query: string;
  readonly variables?: { readonly after: string };
}
/** What is asked in a case, in turn. */
type Questions = readonly Question[];

async function questionsFor(pool: Pool): Promise<Record<string, Questions>> {
  const cursors: string[] = [];
  for (let page = 1; page < 100; page++) {
    const after = cursors.length > 0 ? `, after: "${cursors.at(-1)}"` : '';
    const query = `{ products(first: 20${after}) { pageInfo { endCursor } } }`;
    const found = await ask(pool, { query });
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
    // Nobody asks what another asks at the same moment: nothing is in flight twice.
    'each another': cursors.map((after) => ({ query: anyPage, variables: { after } })),
  };
}

interface Reply {
  readonly data?: { products?: { pageInfo: { endCursor: string } } };
  readonly errors?: unknown;
}

async function ask(pool: Pool, question: Question): Promise<Reply> {
  const { body } = await pool.request({
    method: 'POST',
    path: '/graphql',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(question),
  });
  const reply = (await body.json()) as Reply;
  if (reply.errors) throw new Error(JSON.stringify(reply.errors));
  return reply;
}

/** Asks the questions of a case, one after the other, from the first again behind the last. */
function asker(pool: Pool, questions: Questions): () => Promise<Reply> {
  let sent = 0;
  return () => ask(pool, questions[sent++ % questions.length] as Question);
}

const bareShareMin = 0.05;
const cpuMaxMs = 8;

function outcomeOf(measured: MeasuredCases): Outcome {
  const of = (name: string, figure: (one: Measured) => number) =>
    median((measured.get(name) ?? []).map(figure));
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
        name: 'first page: CPU of a request, ms',
        value: rounded(cpuOf('first page'), 2),
        target: `< ${cpuMaxMs}`,
        pass: cpuOf('first page') < cpuMaxMs,
      },
      {
        name: 'page 100: p50 beside that of page 1',
        value: rounded(hundredth / first, 2),
        target: '≤ 1.2',
        pass: hundredth / first <= 1.2,
      },
    ],
  };
}
