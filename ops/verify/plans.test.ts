import pg from 'pg';
import { newId } from '../../subgraphs/shared/ids.js';
import { breaks } from '../../tests/harness/broken-invariants.js';
import { drawnQueue } from '../../tests/harness/broken-queues.js';
import { openSoldOnly, saleLine } from '../../tests/harness/broken-sale-orders.js';
import { createAllTestDatabases } from '../../tests/harness/databases.js';
import { placed } from '../../tests/harness/placed-order.js';
import type { Reader } from '../databases/clients.js';
import type { DatabaseUrls } from '../databases/urls.js';
import { subgraphNames } from '../subgraph-names.js';
import { type Moments, momentAt, type Readers, type Scope } from './invariant.js';
import { byIndexSql } from './readers.js';
import { invariants } from './verify.js';

interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Index Cond'?: string;
  readonly 'Recheck Cond'?: string;
  readonly Plans?: readonly Plan[];
}

/** Indexes of rows that are few at any time, which may be read as a whole. */
const small = new Set(['outbox_due', 'outbox_dead', 'reservation_due', 'stock_transfer_to']);

const nodesOf = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];
const readsTable = (node: Plan) =>
  node['Relation Name'] !== undefined && node['Node Type'] !== 'ModifyTable';
/**
 * Whether a node finds its rows by an index of the table that begins with a column of its condition. Which index
 * it reads says less: those of the test have one page each, so that one that skips costs no more.
 */
function isByIndex(node: Plan, firstColumns: readonly string[]): boolean {
  if (small.has(node['Index Name'] ?? '')) return true;
  const condition = node['Index Cond'] ?? node['Recheck Cond'] ?? '';
  return firstColumns.some((column) => new RegExp(`(\\(|= )${column}\\b`).test(condition));
}

/** Those whose violations bring rows into tables that have none after the seed. */
const withRows = new Set([
  'every reservation line is the sum of its movements',
  'every unit of a transfer is received, returned, missing or in transit',
  'a phone number of a sale is claimed by an order of its customer in it',
  'no sale holds and sells more units than are allocated to it',
  'the price of a unit is refunded once',
  'an offer is in at most one published sale that has not ended',
]);

/** Makes every table with rows one of ten million for the planner, with the distribution of its values. */
async function claimMillions(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `select relname as name from pg_class where relkind in ('r', 'p')
       and relnamespace = 'public'::regnamespace and pg_relation_size(oid) > 0`,
  );
  for (const { name } of rows) {
    await client.query(`analyze ${name}`);
    await client.query(
      `select pg_restore_relation_stats('schemaname', 'public', 'relname', $1::text,
         'relpages', 1, 'reltuples', 10000000::real)`,
      [name],
    );
  }
}

describe('checks of what has changed', () => {
  let databases: { urls: DatabaseUrls; drop(): Promise<void> };
  let clients: Map<string, pg.Client>;
  /** table → the first columns of its indexes */
  const firstColumns = new Map<string, string[]>();
  beforeAll(async () => {
    databases = await createAllTestDatabases('store');
    clients = new Map();
    for (const name of subgraphNames) {
      const client = new pg.Client({ connectionString: databases.urls[name] });
      await client.connect();
      clients.set(name, client);
    }
    for (const statement of placed(newId())) await clients.get('order')?.query(statement);
    await clients.get('order')?.query(saleLine);
    for (const statement of openSoldOnly[1]) await clients.get(openSoldOnly[0])?.query(statement);
    // A regular line of the offer beside that of the sale.
    await clients.get('order')?.query(
      `insert into order_item (customer_id, id, shop_order_id, offer_id, sku, name, unit_price_amount,
         currency_code, quantity, decided_at)
       select customer_id, gen_random_uuid(), shop_order_id, offer_id, sku, name, unit_price_amount,
         currency_code, quantity, now() from order_item`,
    );
    for (const [name, database, statements] of breaks) {
      if (!withRows.has(name)) continue;
      for (const statement of statements) await clients.get(database)?.query(statement);
    }
    for (const statement of drawnQueue) await clients.get('order')?.query(statement);
    await clients.get('order')?.query(
      `insert into idempotency_key (user_id, operation, key, fingerprint, subject_id, outcome, claimed_until)
       select gen_random_uuid(), 'checkout', 'k', '', gen_random_uuid(), '{"kind": "expired"}', now()
       from generate_series(1, 300)`,
    );
    await clients.get('order')?.query(
      `with changed as (
         update payment set provider_transaction_id = 't' returning provider, customer_id, id)
       insert into provider_transaction (provider, provider_transaction_id, customer_id, payment_id)
       select provider, 't', customer_id, id from changed`,
    );
    await clients.get('order')?.query(
      `insert into dispute (customer_id, id, payment_id, provider_dispute_id, amount, status, reason)
       select customer_id, id, id, 'd', 1, 'LOST', 'test' from payment`,
    );
    await clients.get('order')?.query(
      `with made as (insert into cart (customer_id, shard, counted)
         select gen_random_uuid(), 0, true from generate_series(1, 300) returning customer_id)
       insert into cart_item (customer_id, offer_id, id, name, unit_price_amount, currency_code, quantity)
       select customer_id, gen_random_uuid(), customer_id, 'S', 10, 'USD', 1 from made`,
    );
    for (const client of clients.values()) {
      await claimMillions(client);
      const { rows } = await client.query<{ name: string; columns: string[] }>(
        `select indrelid::regclass::text as name,
           array_agg(distinct pg_get_indexdef(indexrelid, 1, true)) as columns
         from pg_index group by indrelid`,
      );
      for (const { name, columns } of rows) firstColumns.set(name, columns);
    }
  });
  afterAll(async () => {
    for (const client of clients.values()) await client.end();
    await databases.drop();
  });

  /** Readers that explain each statement before they execute it. */
  function explaining(read: string[]): Readers {
    const readers = subgraphNames.map((name) => {
      const client = clients.get(name) as pg.Client;
      const query = async (sql: string, values: unknown[]) => {
        await client.query(`begin; ${byIndexSql}`);
        const { rows } = await client.query(`explain (format json) ${sql}`, values);
        const result = await client.query(sql, values);
        await client.query('commit');
        const nodes = nodesOf(rows[0]['QUERY PLAN'][0].Plan).filter(readsTable);
        for (const node of nodes) {
          const table = node['Relation Name'] as string;
          if (isByIndex(node, firstColumns.get(table) ?? [])) continue;
          read.push(
            `${node['Node Type']} on ${table} by ${node['Index Cond'] ?? node['Recheck Cond']}`,
          );
        }
        return result;
      };
      return [name, { query } as unknown as Reader] as const;
    });
    return Object.fromEntries(readers) as unknown as Readers;
  }

  it.each(invariants)('read no table but by an index: $name', async (invariant) => {
    const since = Object.fromEntries(
      subgraphNames.map((name) => [name, momentAt(Date.now() - 60_000)]),
    ) as unknown as Moments;
    const read: string[] = [];
    const changed: Scope = { of: 'changed', since };
    await invariant.check(explaining(read), changed, false);
    const key = Object.fromEntries(
      invariant.key.map((column) => [column, /id$/i.test(column) ? newId() : '1']),
    );
    await invariant.check(explaining(read), { of: 'rows', rows: [key] }, false);
    expect(read).toEqual([]);
  });
});
