import pg from 'pg';
import { type SubgraphName, subgraphNames } from '../ops/subgraph-names.js';
import { priceSort } from '../subgraphs/product/listing/read-by-price.js';
import { createAllTestDatabases } from './harness/databases.js';
import { setLargeTables } from './harness/large-tables.js';
import { explain, explainGeneric, faultsOf } from './harness/plans.js';
import type { SentStatement } from './harness/request-statements.js';
import { markets, smallTables } from './plans/columns.js';
import { argumentsOf, type ListField, lists, readList } from './plans/lists.js';
import type { Arguments } from './rights/samples.js';
import { createWorld, type World } from './rights/world.js';

const rows = 10_000_000;

const limits = { sortedMax: 2500, filteredCostMax: 1000, costMax: 20_000 };

/**
 * Conditions whose frequency PostgreSQL knows when it plans a statement, as they are not of one shop: it reads the
 * index of the condition if few rows satisfy it, else the list in its order until the page is full. The cost of the
 * statement is limited all the same.
 */
const plannedByFrequency: Readonly<Record<string, RegExp>> = {
  'Query.users': /^(Index|Bitmap).*~~/,
  'Query.shops': /^(Index|Bitmap).*@@/,
  'Shop.offers': /^(Index|Bitmap).*@@/,
  // A word of every twentieth product is found by any scan that a limit ends.
  'Query.products':
    / on product: .*@@|^(Index|Bitmap).* on (listed_price|offer_listing)|^Index.*ROW\(/,
};

/** Statements that no index serves yet: ADR 44 has the cost of each. */
const excludedStatements: readonly RegExp[] = [
  // The best of all matches of a word.
  /order by ts_rank/,
  // Products of categories by time or name, where there are few of them.
  /p\.category_id = any .*order by (p\.id|p\.name)/s,
  // By price, of a shop and a category with many products.
  /from offer_listing as o join .* o\.shop_id = .* p\.category_id = any .*order by o\.price_amount/s,
  // By price from a lowest price on, few matches: the cheapest offer of each is looked up.
  /^with found as materialized .* s\.highest >= /s,
  // `totalCount`.
  /^select \(?(select )?count\(\*\)::int/,
];

const isExcluded = (text: string) => excludedStatements.some((each) => each.test(text));

/** Whether a statement reads a page; a list without pages is read as a whole. */
const isOwn = ({ field }: ListField, text: string) =>
  /\blimit\b/.test(text) || !field.args.some(({ name }) => name === 'after');

const viewers = ['customer', 'vendor', 'admin'] as const;

interface Database {
  readonly client: pg.Client;
  readonly large: ReadonlySet<string>;
}

describe(`with ${rows.toLocaleString('en')} rows in each table that grows`, () => {
  let world: World;
  const ends: (() => Promise<unknown>)[] = [];
  const databases = {} as Record<string, Record<SubgraphName, Database>>;
  beforeAll(async () => {
    world = await createWorld({ QUERY_COST_MAX: '1000000' });
    ends.push(() => world.stop());
    for (const [market, columns] of Object.entries(markets)) {
      const { urls, drop } = await createAllTestDatabases();
      ends.push(drop);
      const opened = subgraphNames.map(async (name) => {
        const url = new URL(process.env.TEST_POSTGRES_URL as string);
        url.pathname = new URL(urls[name]).pathname;
        const client = new pg.Client({ connectionString: url.href });
        await client.connect();
        ends.unshift(() => client.end());
        const tables = { rows, small: smallTables, columns: columns(world) };
        return [name, { client, large: await setLargeTables(client, tables) }] as const;
      });
      databases[market] = Object.fromEntries(await Promise.all(opened)) as never;
    }
  });
  afterAll(async () => {
    for (const end of ends) await end();
  });

  const read = new Map<string, SentStatement[]>();

  /** The statements of a list with all its arguments, for each user who may see it: of the first two pages. */
  async function statementsOf(list: ListField): Promise<SentStatement[]> {
    const known = read.get(list.name);
    if (known) return known;
    const found = await readAll(list);
    if (list.name === 'Query.products') {
      const { sortedMatchesMax } = priceSort;
      priceSort.sortedMatchesMax = 0;
      found.push(...(await readAll(list)));
      priceSort.sortedMatchesMax = sortedMatchesMax;
    }
    const queries = found.filter(({ text }) => /^\s*(select|with)\b/i.test(text));
    const distinct = new Map(queries.map((query) => [JSON.stringify(query), query]));
    read.set(list.name, [...distinct.values()]);
    return [...distinct.values()];
  }

  async function readAll(list: ListField): Promise<SentStatement[]> {
    const found: SentStatement[] = [];
    // A page without rows has no cursor: it gets one of the same sort.
    const cursors = new Map<unknown, string>();
    const unpaged: { args: Arguments; token: string }[] = [];
    for (const args of argumentsOf(list, world)) {
      const refusals = new Set<string>();
      for (const viewer of viewers) {
        const token = world.tokenOf(viewer) as string;
        const { statements, refusal, cursor } = await readList(list, args, world, token);
        if (refusal) {
          refusals.add(viewer);
          continue;
        }
        found.push(...statements);
        if (cursor) cursors.set(args.sort, cursor);
        unpaged.push({ args, token });
      }
      // Else the arguments would not be planned.
      expect([list.name, args, refusals.size < viewers.length]).toEqual([list.name, args, true]);
    }
    for (const { args, token } of unpaged) {
      const after = cursors.get(args.sort);
      if (!after) continue;
      found.push(...(await readList(list, { ...args, after }, world, token)).statements);
    }
    return found;
  }

  async function faultsIn({ client, large }: Database, statement: SentStatement, list: string) {
    const limitsOfList = { ...limits, large, plannedByFrequency: plannedByFrequency[list] };
    const query = async (text: string, values?: unknown[]) =>
      (await client.query(text, values)).rows;
    const plans = [await explain(query, statement)];
    if (statement.isPrepared) plans.push(await explainGeneric(query, statement.text));
    return plans.flatMap((plan) => faultsOf(plan, limitsOfList));
  }

  const cases = Object.keys(markets).flatMap((market) => lists.map((list) => ({ market, list })));
  it.each(cases)('of $market, $list.name is read by an index', async ({ market, list }) => {
    const statements = await statementsOf(list);
    // The list itself, besides what leads to it.
    expect(statements.filter(({ text }) => isOwn(list, text))).not.toEqual([]);
    const found = new Map<string, string[]>();
    for (const statement of statements.filter(({ text }) => !isExcluded(text))) {
      const database = databases[market]?.[statement.subgraph as SubgraphName] as Database;
      const faults = await faultsIn(database, statement, list.name);
      if (faults.length > 0) found.set(statement.text, [...new Set(faults)]);
    }
    expect(Object.fromEntries(found)).toEqual({});
  });
});
