import pg from 'pg';
import { type SubgraphName, subgraphNames } from '../ops/subgraph-names.js';
import { createAllTestDatabases } from './harness/databases.js';
import { setLargeTables } from './harness/large-tables.js';
import { explain, explainGeneric, faultsOf } from './harness/plans.js';
import type { SentStatement } from './harness/request-statements.js';
import { markets, smallTables } from './plans/columns.js';
import { argumentsOf, type ListField, lists, readList } from './plans/lists.js';
import { createWorld, type World } from './rights/world.js';

const rows = 10_000_000;

const limits = { sortedMax: 2500, filteredCostMax: 1000, costMax: 20_000 };

/**
 * Conditions whose frequency PostgreSQL knows when it plans a statement, as they are not of one shop: it reads the
 * index of the condition if few rows satisfy it, else the list in its order until the page is full. The cost of the
 * statement is limited all the same.
 */
const plannedByFrequency: Readonly<Record<string, RegExp>> = {
  'Query.users': /~~/,
  'Query.shops': /@@/,
  'Shop.offers': /@@/,
  'Query.products': /@@|listed_price|offer_listing|ROW\(/,
};

/**
 * What no index serves yet (ADR 44): the best of all matches of a word, and products of categories in the order of
 * time or name, where there are few of them.
 */
const missed = /^select p\.id.* p\.category_id = any \(\$|ts_rank/s;

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

  /** The statements of a list with all its arguments, for each user who may see it. */
  async function statementsOf(list: ListField): Promise<SentStatement[]> {
    const found = read.get(list.name) ?? [];
    if (found.length > 0) return found;
    for (const args of argumentsOf(list, world)) {
      for (const viewer of viewers) {
        found.push(...(await readList(list, args, world, world.tokenOf(viewer))));
      }
    }
    const queries = found.filter(({ text }) => /^\s*(select|with)\b/i.test(text));
    read.set(list.name, queries);
    return queries;
  }

  async function faultsIn({ client, large }: Database, statement: SentStatement, list: string) {
    const known = plannedByFrequency[list];
    const query = async (text: string, values?: unknown[]) =>
      (await client.query(text, values)).rows;
    const plans = [await explain(query, statement)];
    if (statement.isPrepared) plans.push(await explainGeneric(query, statement.text));
    return plans.flatMap((plan) => faultsOf(plan, { ...limits, large, known }));
  }

  const cases = Object.keys(markets).flatMap((market) => lists.map((list) => ({ market, list })));
  it.each(cases)('of $market, $list.name is read by an index', async ({ market, list }) => {
    const statements = await statementsOf(list);
    expect(statements.length).toBeGreaterThan(1);
    const found = new Map<string, string[]>();
    for (const statement of statements.filter(({ text }) => !missed.test(text))) {
      const database = databases[market]?.[statement.subgraph as SubgraphName] as Database;
      const faults = await faultsIn(database, statement, list.name);
      if (faults.length > 0) found.set(statement.text, faults);
    }
    expect(Object.fromEntries(found)).toEqual({});
  });
});
