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
  /** MikroORM writes the number of rows, and some values, into the text */
  readonly texts: Set<string>;
  calls: number;
}

/** Queues, also those of sales, pruning and the currencies of all orders are read in every shard. */
const ofWorkers =
  /\b(queue_mark|outdated|outbox|sale_queue)\b|end_due_at <|skip locked|where state = 'HELD'|as "isPaid"/;

/** What a statement does with each of its tables, such as `insert payment, select customer_order`. */
function shapeOf(text: string, tables: ReadonlySet<string>): string {
  const found = text.matchAll(/\b(insert into|update|delete from|from|join) "?(\w+)/g);
  const parts = [...found]
    .filter(([, , table = '']) => tables.has(table))
    .map(([, verb = '', table]) => `${verbs[verb] ?? 'select'} ${table}`);
  return [...new Set(parts)].join(', ');
}
const verbs: Readonly<Record<string, string>> = {
  'insert into': 'insert',
  update: 'update',
  'delete from': 'delete',
};

/** The statements that the two databases get while `work` runs, by their database and shape. */
async function countStatements(
  work: () => Promise<void>,
  tables: Record<Sharded, ReadonlySet<string>>,
): Promise<[name: string, Counted][]> {
  const { statements } = await recordStatements(work);
  const counted = new Map<string, Counted>();
  for (const statement of statements) {
    const { text } = statement;
    const database = subgraphOf(statement) as Sharded;
    if (!(database in shardColumns) || ofWorkers.test(text)) continue;
    const shape = shapeOf(text, tables[database]);
    if (!shape) continue;
    const name = `${database}: ${shape}`;
    const found = counted.get(name) ?? { database, texts: new Set(), calls: 0 };
    counted.set(name, found);
    found.texts.add(text);
    found.calls += 1;
  }
  return [...counted];
}

const rounds = 12;

/** The list is in docs/adr/0039-shard-keys.md too. */
const mostFrequent = [
  'order: insert idempotency_key, select idempotency_key',
  'order: select customer_hold, select purchase, update customer_hold, insert customer_hold, update purchase, insert purchase, insert customer_order, insert shop_order, insert order_event, insert order_item, select cart_item',
  'order: select customer_order',
  'order: select payment, select customer_order, insert payment, insert order_event, insert provider_transaction',
  'order: select payment, select customer_order, update payment, insert order_event, update customer_order, update shop_order, select shop_order, select order_item, select customer_hold, update customer_hold, update idempotency_key',
  'order: select payment, update payment, insert order_event',
  'order: update customer_order, insert order_event, insert numbered_order, update idempotency_key',
  'warehouse: insert reservation',
  'warehouse: insert reservation_line',
  'warehouse: insert stock_movement',
  'warehouse: select reservation',
  'warehouse: select reservation_line, select stock_level',
  'warehouse: select stock_item',
  'warehouse: select stock_level, select warehouse',
  'warehouse: update reservation',
  'warehouse: update stock_item',
  'warehouse: update stock_level',
];

describe('the statements of checkouts and payments', () => {
  let system: TestSystem;
  const clients = {} as Record<Sharded, pg.Client>;
  let statements: [name: string, Counted][];

  beforeAll(async () => {
    system = await startSystem();
    const vendor = await registerPerson(system, 'VENDOR');
    const customers = await Promise.all([1, 2, 3].map(() => registerPerson(system)));
    const shops = await Promise.all([1, 2, 3].map(() => openShop(system, vendor, [1000])));
    const tables = {} as Record<Sharded, Set<string>>;
    const order = (n: number, lines: number, method?: string) => {
      const items = shops.slice(0, lines).map(({ offerId }) => ({ offerId, quantity: 1 }));
      return checkout(system, customers[n % 3] as Person, items, undefined, method);
    };
    for (const database of Object.keys(shardColumns) as Sharded[]) {
      const client = new pg.Client({ connectionString: system.databases[database] });
      await client.connect();
      // Small tables would be read as a whole, and joined by hashes.
      await client.query('set enable_seqscan = off; set enable_hashjoin = off');
      await client.query('set enable_mergejoin = off; set enable_bitmapscan = off');
      clients[database] = client;
      tables[database] = await tablesOf(client);
    }
    // The cases of `bench -- checkout`.
    statements = await countStatements(async () => {
      for (let n = 0; n < rounds; n++) {
        await Promise.all([order(n, 1), order(n + 1, 3), order(n + 2, 1, 'Credit Card')]);
      }
    }, tables);
  });
  afterAll(async () => {
    for (const client of Object.values(clients)) await client.end();
    await system.stop();
  });

  // Workers send others now and then.
  const inEachRound = () => statements.filter(([, { calls }]) => calls >= rounds);

  it('are these in each round: twenty, as three shapes are sent for the hold and again for the payment', () => {
    const frequent = inEachRound().map(([name]) => name);
    expect(frequent.sort()).toEqual(mostFrequent);
  });

  it('name the shard in their conditions', async () => {
    const faults: string[] = [];
    const texts = inEachRound().flatMap(([, { database, texts }]) =>
      [...texts].map((text) => ({ database, text })),
    );
    for (const { database, text } of texts) {
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

  const conditionsOf = (node: PlanNode) =>
    [node['Index Cond'], node['Recheck Cond'], node.Filter].filter(Boolean).join(' and ');

  async function tablesOf(client: pg.Client): Promise<Set<string>> {
    const { rows } = await client.query<{ name: string }>(
      `select relname as name from pg_class
       where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')`,
    );
    return new Set(rows.map(({ name }) => name));
  }

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
