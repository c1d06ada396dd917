import pg from 'pg';
import { checkout, openShop, type Person, registerPerson } from './harness/people.js';
import { explainGeneric, nodesOfPlan, type PlanNode } from './harness/plans.js';
import { recordStatements, subgraphOf } from './harness/record-statements.js';
import { startSystem, type TestSystem } from './harness/system.js';

/** The column by which the rows of a database would be distributed (docs/adr/0039-shard-keys.md). */
const shardColumns = { order: 'customer_id', warehouse: 'shop_id' } as const;
type Sharded = keyof typeof shardColumns;

interface Counted {
  readonly database: Sharded;
  readonly text: string;
  calls: number;
}

/** Queues and pruning are read in every shard. */
const ofWorkers = /\b(queue_mark|outdated)\b|skip locked/;

/** The statements that the two databases get while `work` runs, the most frequent first. */
async function countStatements(work: () => Promise<void>): Promise<Counted[]> {
  const { statements } = await recordStatements(work);
  const counted = new Map<string, Counted>();
  for (const statement of statements) {
    const { text } = statement;
    const database = subgraphOf(statement) as Sharded;
    const isOfRequest = /\b(from|into|update)\b/.test(text) && !ofWorkers.test(text);
    if (!isOfRequest || !(database in shardColumns)) continue;
    const key = `${database} ${text.replace(/\s+/g, ' ')}`;
    const found = counted.get(key) ?? { database, text, calls: 0 };
    counted.set(key, found);
    found.calls += 1;
  }
  return [...counted.values()].sort((a, b) => b.calls - a.calls);
}

describe('the statements of checkouts and payments', () => {
  let system: TestSystem;
  const clients = {} as Record<Sharded, pg.Client>;
  let statements: Counted[];

  beforeAll(async () => {
    system = await startSystem();
    const vendor = await registerPerson(system, 'VENDOR');
    const customers = await Promise.all([1, 2, 3].map(() => registerPerson(system)));
    const shops = await Promise.all([1, 2, 3].map(() => openShop(system, vendor, [1000])));
    const order = (n: number, lines: number, method?: string) => {
      const items = shops.slice(0, lines).map(({ offerId }) => ({ offerId, quantity: 1 }));
      return checkout(system, customers[n % 3] as Person, items, undefined, method);
    };
    // The cases of `bench -- checkout`.
    statements = await countStatements(async () => {
      for (let n = 0; n < 12; n++) {
        await Promise.all([order(n, 1), order(n + 1, 3), order(n + 2, 1, 'Credit Card')]);
      }
    });
    for (const database of Object.keys(shardColumns) as Sharded[]) {
      const client = new pg.Client({ connectionString: system.databases[database] });
      await client.connect();
      // Small tables would be read as a whole, and joined by hashes.
      await client.query('set enable_seqscan = off; set enable_hashjoin = off');
      await client.query('set enable_mergejoin = off; set enable_bitmapscan = off');
      clients[database] = client;
    }
  });
  afterAll(async () => {
    for (const client of Object.values(clients)) await client.end();
    await system.stop();
  });

  it('name the shard in their conditions: the twenty with most calls', async () => {
    const top = statements.slice(0, 20);
    expect(top).toHaveLength(20);
    const faults: string[] = [];
    for (const { database, text } of top) {
      const client = clients[database];
      const query = async <T extends object>(sql: string, values?: unknown[]) =>
        (await client.query<T>(sql, values)).rows;
      const sharded = await shardedTables(client, shardColumns[database]);
      const column = new RegExp(`\\b${shardColumns[database]}\\b`);
      const plan = await explainGeneric(query, text);
      const joins = nodesOfPlan(plan).map((node) => node['Join Filter'] ?? '');
      for (const node of nodesOfPlan(plan)) {
        const table = node['Relation Name']?.replace(/_(\d{4}_\d{2}|default)$/, '') ?? '';
        const isRead = / Scan$/.test(node['Node Type']) && sharded.has(table);
        if (!isRead || column.test(conditionsOf(node))) continue;
        const ofNode = new RegExp(`\\b${node.Alias}\\.${shardColumns[database]}\\b`);
        if (joins.some((join) => ofNode.test(join))) continue;
        faults.push(`${database} ${table}: ${conditionsOf(node)} in ${text}`);
      }
    }
    expect(faults).toEqual([]);
  });

  const conditionsOf = ({ 'Index Cond': index = '', Filter: filter = '' }: PlanNode) =>
    [index, filter].filter((each) => each).join(' and ');

  /** The tables whose primary key has the column. */
  async function shardedTables(client: pg.Client, column: string): Promise<Set<string>> {
    const { rows } = await client.query<{ name: string }>(
      `select conrelid::regclass::text as name from pg_constraint join pg_attribute
         on attrelid = conrelid and attnum = any(conkey)
       where contype = 'p' and attname = $1`,
      [column],
    );
    return new Set(rows.map(({ name }) => name));
  }
});
