import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import type { DatabaseUrls } from '../ops/databases/urls.js';
import { root, subgraphNames } from '../ops/subgraph-names.js';
import type { Readers } from '../ops/verify/invariant.js';
import { invariants } from '../ops/verify/verify.js';
import { newId } from '../subgraphs/shared/ids.js';
import { countedSale } from './harness/broken-sale-orders.js';
import { createAllTestDatabases } from './harness/databases.js';
import { placed } from './harness/placed-order.js';

const runbook = readFileSync(join(root, 'docs/operations/runbook.md'), 'utf8');

/** Placeholder → a value of its type. */
const placeholders: Readonly<Record<string, string>> = {
  T: '2026-11-21 19:00:00+00',
  'event id': '01a19467-e800-7bbc-8f36-20aff7415dc3',
  'order id': '01a19467-e800-7bbc-8f36-20aff7415dc0',
  'payment id': '01a19467-e800-7bbc-8f36-20aff7415dc1',
  'refund id': '01a19467-e800-7bbc-8f36-20aff7415dc2',
  pid: '0',
};
const filledIn = (sql: string) =>
  sql.replaceAll(
    /<([^<>]+)>/g,
    (_, name: string) => placeholders[name] ?? `unknown placeholder ${name}`,
  );

const blocks = [...runbook.matchAll(/```sql\n([\s\S]*?)```/g)].map(([, block]) => block ?? '');
/** The parts of the SQL: the databases in its first line, and its statements. */
const parts = blocks
  .flatMap((block) => block.split(/^-- database: /m).slice(1))
  .map((part) => {
    const [line = '', ...statements] = part.split('\n');
    const named = line.split(';')[0]?.split(/\W/);
    const databases = subgraphNames.filter((name) => named?.includes(name));
    return { line, databases, sql: filledIn(statements.join('\n')) };
  });

describe('docs/operations/runbook.md', () => {
  let test: { urls: DatabaseUrls; drop(): Promise<void> };
  beforeAll(async () => {
    test = await createAllTestDatabases();
    // The month that it attaches again.
    const client = new pg.Client({ connectionString: test.urls.warehouse });
    await client.connect();
    for (const step of ['make', 'detach']) {
      await client.query(`select ${step}_partition('stock_movement', '2023-11-01')`);
    }
    await client.end();
  });
  afterAll(() => test.drop());

  it.each(invariants)('says what to do when this invariant is broken: $name', ({ name }) => {
    expect(runbook).toContain(`\`${name}\``);
  });

  /** Counter → a statement for each way in which it is wrong; the invariant that finds it. */
  const counters = {
    customer_hold: {
      invariant: 'open orders and units of a customer are those of the PENDING orders',
      wrong: [
        'update customer_hold set open_orders = open_orders + 1',
        `update customer_hold set open_units = '{}'`,
        'delete from customer_hold',
        `insert into customer_hold (customer_id, open_orders, open_units)
         values (gen_random_uuid(), 1, '{}')`,
      ],
    },
    purchase: {
      invariant: 'purchased units of a sku are the sum of the units that are not cancelled',
      wrong: [
        'update purchase set units = units + 1',
        'delete from purchase',
        `insert into purchase (customer_id, shop_id, sku, units)
         values (gen_random_uuid(), gen_random_uuid(), 'S', 1)`,
      ],
    },
    sale_purchase: {
      invariant:
        'units that a customer bought in a sale are those of orders that did not end unpaid',
      wrong: [
        'update sale_purchase set units = units - 1',
        'update sale_purchase set expired_orders = 2',
        'delete from sale_purchase',
        `insert into sale_purchase (customer_id, sale_id, offer_id, units)
         values (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 1)`,
      ],
    },
    sale_address: {
      invariant: 'units of a sale for one address are those of orders that did not end unpaid',
      wrong: [
        'update sale_address set units = units + 1',
        'delete from sale_address',
        `insert into sale_address (sale_id, offer_id, address, units)
         values (gen_random_uuid(), gen_random_uuid(), 'other', 1)`,
      ],
    },
    units_in_carts: {
      invariant: 'units of an offer in carts are the sum over the counted carts',
      wrong: [
        'update units_in_carts set units = units + 1',
        'delete from units_in_carts',
        `insert into units_in_carts (offer_id, shard, units) values (gen_random_uuid(), 1, 1)`,
      ],
    },
  };
  it.each(
    Object.entries(counters).flatMap(([table, { invariant, wrong }]) =>
      wrong.map((statement) => ({ table, invariant, statement })),
    ),
  )('rebuilds $table: $statement', async ({ table, invariant: name, statement }) => {
    const repair = parts.filter(({ sql }) => sql.includes(`merge into ${table} `));
    expect(repair).toHaveLength(1);
    const client = new pg.Client({ connectionString: test.urls.order });
    await client.connect();
    try {
      await client.query('begin');
      for (const each of [...placed(newId()), ...countedSale]) await client.query(each);
      const orderInvariants = invariants.filter((each) => counterNames.has(each.name));
      const broken = async () => {
        const readers = { order: client } as unknown as Readers;
        const offending: string[] = [];
        for (const each of orderInvariants) {
          const found = await each.check(readers, { of: 'all' }, true);
          if (found.offending.length > 0) offending.push(each.name);
        }
        return offending;
      };
      expect(await broken()).toEqual([]);
      await client.query(statement);
      expect(await broken()).toEqual([name]);
      await client.query(repair[0]?.sql as string);
      expect(await broken()).toEqual([]);
    } finally {
      await client.query('rollback');
      await client.end();
    }
  });
  const counterNames = new Set(Object.values(counters).map(({ invariant }) => invariant));

  it('names the database of each of its SQL statements', () => {
    expect(blocks.length).toBeGreaterThan(10);
    for (const block of blocks) expect(block).toMatch(/^-- database: /);
    for (const { line, databases } of parts) expect([line, databases]).not.toEqual([line, []]);
  });

  it.each(
    parts.flatMap(({ line, databases, sql }) =>
      databases.map((name) => [line, name, sql] as const),
    ),
  )('has SQL that works: %s (%s)', async (_, name, sql) => {
    const client = new pg.Client({ connectionString: test.urls[name] });
    await client.connect();
    try {
      await client.query(`begin; ${sql}; rollback`);
    } finally {
      await client.end();
    }
  });
});
