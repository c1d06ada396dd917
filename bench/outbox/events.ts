import type pg from 'pg';

const pollMs = 100;

/** How long an event was on its way, by PostgreSQL's clock. */
export interface Delay {
  readonly ms: number;
}

/** The delays of the events of a topic that were written since a time. */
export async function readDelays(
  warehouse: pg.Client,
  topic: string,
  since: string,
): Promise<Delay[]> {
  const { rows } = await warehouse.query<Delay>(
    `select (extract(epoch from sent_at - created_at) * 1000)::float8 as ms from outbox
     where topic = $1 and created_at >= $2 and sent_at is not null`,
    [topic, since],
  );
  return rows;
}

/** How many events of a topic were written since a time. */
export async function countEvents(
  warehouse: pg.Client,
  topic: string,
  since: string,
): Promise<number> {
  const { rows } = await warehouse.query<{ count: number }>(
    'select count(*)::int as count from outbox where topic = $1 and created_at >= $2',
    [topic, since],
  );
  return rows[0]?.count ?? 0;
}

/** Waits until a consumer has received all its events. */
export async function drain(warehouse: pg.Client, consumer: string): Promise<void> {
  for (;;) {
    const { rows } = await warehouse.query(
      `select from outbox where consumer = $1 and sent_at is null and dead_at is null limit 1`,
      [consumer],
    );
    if (rows.length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

const skuOf = `select sku, row_number() over () as n from product_variant limit $1`;

/** Inserts events as a large transaction does: of known variants, or of unknown orders. */
export async function insertEvents(
  warehouse: pg.Client,
  product: pg.Client,
  topic: 'warehouse.stock.changed' | 'warehouse.reservation.ended',
  count: number,
): Promise<void> {
  const isStock = topic === 'warehouse.stock.changed';
  const { rows } = isStock
    ? await product.query<{ sku: string }>(skuOf, [count])
    : { rows: Array.from({ length: count }, () => ({ sku: '' })) };
  const { rows: columns } = await warehouse.query(
    `select from information_schema.columns where table_name = 'outbox' and column_name = 'delivery'`,
  );
  const hasLanes = columns.length > 0;
  await warehouse.query(
    `insert into outbox (id, consumer, topic, key, version, payload${hasLanes ? ', delivery' : ''})
     select uuidv7(), $2, $3, case when $4 then '00000000-0000-7000-8000-000000000001:' || sku
         else order_id::text end, 1,
       case when $4 then jsonb_build_object('shopId', '00000000-0000-7000-8000-000000000001',
           'sku', sku, 'inStock', true)
         else jsonb_build_object('orderId', order_id, 'state', 'EXPIRED', 'reason',
           'PAYMENT_TIMEOUT') end${hasLanes ? `, case when $4 then 'latest' else 'each' end` : ''}
     from (select sku, gen_random_uuid() as order_id from unnest($1::text[]) as sku) as source`,
    [rows.map(({ sku }) => sku), isStock ? 'product' : 'order', topic, isStock],
  );
}

/** Adds variants to the products of the store. @returns their SKUs */
export async function addVariants(product: pg.Client, count: number): Promise<string[]> {
  const { rows } = await product.query<{ sku: string }>(
    `insert into product_variant (sku, product_id, name, options)
     select 'BULK-' || n, ids[1 + n % cardinality(ids)], 'Bulk ' || n, '[]'
     from (select array_agg(id) as ids from product where deleted_at is null) as products,
       generate_series(1, $1::int) as n
     returning sku`,
    [count],
  );
  await product.query('analyze product_variant');
  return rows.map(({ sku }) => sku);
}
