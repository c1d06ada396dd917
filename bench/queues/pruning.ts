import type { EntityClass } from '@mikro-orm/core';
import type pg from 'pg';
import { databaseSchema as orderSchema } from '../../subgraphs/order/mikro-orm.config.js';
import { connect } from '../../subgraphs/shared/database/connect.js';
import { prunablesOf, prune } from '../../subgraphs/shared/database/prune.js';
import { databaseSchema as userSchema } from '../../subgraphs/user/mikro-orm.config.js';
import { databaseSchema as warehouseSchema } from '../../subgraphs/warehouse/mikro-orm.config.js';
import { logger } from '../engine.js';
import { type CaseResult, type Check, type Outcome, rounded } from '../report.js';

const rows = Number(process.env.BENCH_PRUNED_ROWS ?? 200_000);

export const schemas = { order: orderSchema, warehouse: warehouseSchema, user: userSchema };
export type Database = keyof typeof schemas;
interface Case {
  readonly table: string;
  readonly database: Database;
  /** SQL that inserts `$1` rows that are outdated */
  readonly insert: string;
  /** rows that the benchmarks insert per second */
  readonly producedPerSecond: number;
  /** of owners, that take other rows with them; `rows` by default */
  readonly rows?: number;
}
const series = 'from generate_series(1, $1)';
// `bench -- checkout` makes about 900 orders a second, `bench -- reserve` about 10,000 reservations,
// `bench -- accounts` about 300 logins.
const cases: readonly Case[] = [
  {
    table: 'inbox',
    database: 'order',
    insert: `insert into inbox (id, producer, topic, created_at)
      select gen_random_uuid(), 'bench', 'bench', now() - interval '31 days' ${series}`,
    producedPerSecond: 900,
  },
  {
    table: 'outbox',
    database: 'order',
    insert: `insert into outbox (id, consumer, topic, key, version, payload, sent_at)
      select gen_random_uuid(), 'bench', 'bench', 'k', 1, '{}', now() - interval '2 days' ${series}`,
    producedPerSecond: 900,
  },
  {
    table: 'idempotency_key',
    database: 'order',
    insert: `insert into idempotency_key (user_id, operation, key, fingerprint, subject_id, outcome,
        claimed_until, created_at)
      select gen_random_uuid(), 'checkout', gen_random_uuid()::text, repeat('f', 64), gen_random_uuid(),
        '{}', now(), now() - interval '2 days' ${series}`,
    producedPerSecond: 900,
  },
  {
    table: 'reservation',
    database: 'warehouse',
    insert: `with reserved as (
        insert into reservation (order_id, state, expires_at, done_at)
        select gen_random_uuid(), 'EXPIRED', now(), now() - interval '91 days' ${series}
        returning order_id)
      insert into reservation_line (order_id, shop_id, level_id, quantity)
      select order_id, gen_random_uuid(), gen_random_uuid(), 1 from reserved`,
    producedPerSecond: 10_000,
  },
  {
    table: 'stored_outcome',
    database: 'order',
    insert: `insert into stored_outcome (user_id, operation, key, fingerprint, outcome, created_at)
      select gen_random_uuid(), 'addToCart', gen_random_uuid()::text, repeat('f', 64), '{}',
        now() - interval '2 days' ${series}`,
    producedPerSecond: 900,
  },
  {
    table: 'payment_event',
    database: 'order',
    insert: `insert into payment_event (provider, id, payment_id, created_at)
      select 'bench', gen_random_uuid()::text, gen_random_uuid(), now() - interval '8 days' ${series}`,
    producedPerSecond: 900,
  },
  {
    // with three lines each
    table: 'cart',
    database: 'order',
    insert: `with idle as (
        insert into cart (customer_id, shard, updated_at)
        select gen_random_uuid(), 0, now() - interval '401 days' ${series} returning customer_id)
      insert into cart_item (customer_id, offer_id, id, name, unit_price_amount, currency_code, quantity)
      select customer_id, gen_random_uuid(), gen_random_uuid(), 'bench', 1, 'USD', 1
      from idle, generate_series(1, 3)`,
    producedPerSecond: 900,
    rows: rows / 4,
  },
  {
    // orders that never held stock, with a shop order, a line and two events each
    table: 'customer_order',
    database: 'order',
    insert: `with orders as (
        insert into customer_order
          (id, customer_id, status, cancel_reason, total_amount, currency_code, shipping_address,
             created_at)
        select uuidv7(interval '-8 days'), gen_random_uuid(), 'CANCELLED', 'OUT_OF_STOCK', 2, 'USD',
          '{}', now() - interval '8 days' ${series} returning customer_id, id
      ), parts as (
        insert into shop_order (customer_id, id, order_id, shop_id)
        select customer_id, gen_random_uuid(), id, id from orders returning customer_id, id
      ), items as (
        insert into order_item
          (customer_id, id, shop_order_id, offer_id, sku, name, unit_price_amount, currency_code, quantity)
        select customer_id, gen_random_uuid(), id, id, 'S', 'S', 1, 'USD', 1 from parts)
      insert into order_event (customer_id, id, order_id, type, actor)
      select customer_id, uuidv7(interval '-8 days'), id, 'PLACED', 'bench'
      from orders, generate_series(1, 2)`,
    producedPerSecond: 900,
    rows: rows / 10,
  },
  {
    // with ten tokens each
    table: 'login_session',
    database: 'user',
    insert: `with sessions as (
        insert into login_session (id, user_id, expires_at)
        select gen_random_uuid(), gen_random_uuid(), now() - interval '1 hour' ${series} returning id)
      insert into refresh_token (hash, session_id, expires_at)
      select left(md5(id::text || n) || md5(n::text), 43), id, now() from sessions, generate_series(1, 10) n`,
    producedPerSecond: 300,
    rows: rows / 10,
  },
];

/** How many rows a second one process deletes, one table after the other. */
export async function measurePruning(
  databases: Readonly<Record<Database, string>>,
  open: (name: Database) => Promise<pg.Client>,
  progress: (line: string) => void,
): Promise<Outcome> {
  const results: CaseResult[] = [];
  const checks: Check[] = [];
  for (const { table, database, insert, producedPerSecond, rows: count = rows } of cases) {
    const client = await open(database);
    const settings = { name: 'bench', url: databases[database], poolMax: 2 };
    const orm = await connect(settings, schemas[database]);
    const entities = schemas[database].entities as ReadonlyArray<EntityClass<unknown>>;
    const rules = prunablesOf(orm.em, entities).filter((rule) => rule.table === table);
    await client.query(insert, [count]);
    await client.query('vacuum analyze');
    const startedAt = performance.now();
    const deleted = await prune(orm.em, rules, logger);
    const perSecond = Math.round(deleted / ((performance.now() - startedAt) / 1000));
    const result: CaseResult = {
      case: `pruning of ${table}`,
      rows: deleted,
      rowsPerSecond: perSecond,
    };
    results.push(table === 'inbox' ? { ...result, byCtid: await byCtid(client, insert) } : result);
    progress(JSON.stringify(results.at(-1)));
    const times = rounded(perSecond / producedPerSecond);
    checks.push({
      name: `pruning of ${table}: times what a benchmark produces`,
      value: times,
      target: '> 1',
      pass: times > 1 && deleted === count,
    });
    await Promise.all([client.end(), orm.close()]);
  }
  return { results, checks };
}

/** Rows per second if they are deleted by their place in the table, which a distributed engine does not have. */
async function byCtid(client: pg.Client, insert: string): Promise<number> {
  await client.query(insert, [rows]);
  await client.query('vacuum analyze');
  const startedAt = performance.now();
  for (let deleted = 1; deleted > 0; ) {
    const { rowCount } = await client.query(`delete from inbox where ctid = any (array(
      select ctid from inbox where created_at < now() - interval '30 days' limit 5000
      for update skip locked))`);
    deleted = rowCount ?? 0;
  }
  return Math.round(rows / ((performance.now() - startedAt) / 1000));
}
