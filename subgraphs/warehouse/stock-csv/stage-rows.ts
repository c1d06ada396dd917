import type pg from 'pg';
import type { ServiceClient } from '../../shared/http/service-client.js';
import type { InShop } from '../locks.js';
import { findUnknownSkus } from '../stock/require-skus.js';
import { type InvalidRow, type InvalidRows, invalidRowsListedMax } from './invalid-rows.js';
import type { StockRow } from './read-rows.js';

const rowsPerInsert = 5000;
const skusPerCall = 1000;

/**
 * The temporary tables of one import: the rows of the file; those that the warehouse has no level
 * of; those that change something; and those with the stock of today, read under the locks.
 *
 * Nested loops are off: PostgreSQL plans for the few rows that a shop had when it was last
 * analyzed, and a nested loop over 100,000 levels for each of 100,000 rows would not end.
 */
const tables = `
  set enable_nestloop = off;
  set temp_buffers = '32MB';
  set work_mem = '64MB';
  create temporary table import_row (line int primary key, sku varchar(64) not null,
    quantity int not null, threshold int, expected int);
  create temporary table import_new (line int primary key, sku varchar(64) not null);
  create temporary table import_change (like import_row, tail uuid default gen_random_uuid());
  create temporary table import_delta (like import_row, id uuid not null, level_id uuid not null,
    is_new_level boolean not null, on_hand int not null, reserved int not null,
    committed int not null, unavailable int not null, buffer int not null,
    last_seq bigint not null, at timestamptz(3) not null, tail uuid not null, item_available int)`;

/** Writes rows to `import_row` as they are read, so that at most `rowsPerInsert` are in memory. */
export async function stageRows(client: pg.Client, rows: AsyncIterable<StockRow>): Promise<number> {
  await client.query(tables);
  let count = 0;
  let batch: StockRow[] = [];
  const insert = async () => {
    count += batch.length;
    await client.query(
      `insert into import_row (line, sku, quantity, threshold, expected)
       select * from unnest($1::int[], $2::text[], $3::int[], $4::int[], $5::int[])`,
      [
        batch.map(({ line }) => line),
        batch.map(({ sku }) => sku),
        batch.map(({ quantity }) => quantity),
        batch.map(({ threshold }) => threshold),
        batch.map(({ expected }) => expected),
      ],
    );
    batch = [];
  };
  for await (const row of rows) {
    batch.push(row);
    if (batch.length === rowsPerInsert) await insert();
  }
  if (batch.length > 0) await insert();
  await client.query('analyze import_row');
  return count;
}

/** Checks the rows against each other, the database and the product subgraph. */
export async function checkRows(
  client: pg.Client,
  product: ServiceClient,
  warehouse: InShop,
  invalid: InvalidRows,
): Promise<void> {
  await checkDuplicates(client, invalid);
  await checkUnknownSkus(client, product, warehouse, invalid);
}

async function checkDuplicates(client: pg.Client, invalid: InvalidRows): Promise<void> {
  const repeated = `(select line, sku, min(line) over (partition by sku) as first from import_row) t
    where line > first`;
  const { rows } = await client.query<{ line: number; sku: string; first: number; count: number }>(
    `select *, count(*) over ()::int as count from ${repeated} order by line limit ${invalidRowsListedMax}`,
  );
  if (rows.length === 0) return;
  const found = rows.map(({ line, sku, first }) => {
    return { line, sku, reason: `the SKU is in line ${first} already` };
  });
  invalid.addFound(found, rows[0]?.count ?? 0);
  await client.query(`delete from import_row where line in (select line from ${repeated})`);
}

/** A sku that the warehouse has a level of exists; the product subgraph is queried for the others. */
async function checkUnknownSkus(
  client: pg.Client,
  product: ServiceClient,
  { shopId, id }: InShop,
  invalid: InvalidRows,
): Promise<void> {
  await client.query(
    `insert into import_new select line, sku from import_row f
     where not exists (select from stock_level
       where shop_id = $1 and sku = f.sku and warehouse_id = $2)`,
    [shopId, id],
  );
  const found: InvalidRow[] = [];
  let count = 0;
  for (let after = 0; ; ) {
    const { rows } = await client.query<{ line: number; sku: string }>(
      `select line, sku from import_new where line > $1 order by line limit ${skusPerCall}`,
      [after],
    );
    const unknown = new Set(
      await findUnknownSkus(
        product,
        rows.map(({ sku }) => sku),
      ),
    );
    const unknownRows = rows.filter(({ sku }) => unknown.has(sku));
    count += unknownRows.length;
    for (const { line, sku } of unknownRows.slice(0, invalidRowsListedMax - found.length)) {
      found.push({ line, sku, reason: 'there is no such SKU' });
    }
    if (rows.length < skusPerCall) break;
    after = rows.at(-1)?.line ?? 0;
  }
  invalid.addFound(found, count);
}
