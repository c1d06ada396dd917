import type pg from 'pg';
import type { ServiceClient } from '../../shared/http/service-client.js';
import { findUnknownSkus } from '../stock/require-skus.js';
import { type InvalidRow, type InvalidRows, invalidRowsListedMax } from './invalid-rows.js';
import type { StockRow } from './read-rows.js';

const rowsPerInsert = 5000;
const skusPerCall = 1000;

/**
 * The tables of one import, of its connection alone: what the file says; what of it the warehouse has
 * no level of; what is to be changed; and what is there, read under the locks. A shop that was empty
 * a moment ago is still planned as one of few rows, and a loop over a hundred thousand of them, for
 * each of as many lines, never ends: no join here is a loop.
 */
const tables = `
  set enable_nestloop = off;
  set temp_buffers = '32MB';
  set work_mem = '64MB';
  create temporary table import_row (line int primary key, sku varchar(64) not null,
    quantity int not null, threshold int);
  create temporary table import_new (line int primary key, sku varchar(64) not null);
  create temporary table import_change (like import_row, tail uuid default gen_random_uuid());
  create temporary table import_delta (like import_row, id uuid not null, level_id uuid not null,
    is_new_level boolean not null, on_hand int not null, reserved int not null,
    available_before int)`;

/** Writes lines to a table of the connection, so that no more of them than one insert's are in memory. */
export async function stageRows(client: pg.Client, rows: AsyncIterable<StockRow>): Promise<number> {
  await client.query(tables);
  let count = 0;
  let batch: StockRow[] = [];
  const insert = async () => {
    count += batch.length;
    await client.query(
      'insert into import_row select * from unnest($1::int[], $2::text[], $3::int[], $4::int[])',
      [
        batch.map(({ line }) => line),
        batch.map(({ sku }) => sku),
        batch.map(({ quantity }) => quantity),
        batch.map(({ threshold }) => threshold),
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

/** Finds what only the lines together, the database and the product subgraph can tell. */
export async function checkRows(
  client: pg.Client,
  product: ServiceClient,
  warehouseId: string,
  invalid: InvalidRows,
): Promise<void> {
  await checkDuplicates(client, invalid);
  await checkUnknownSkus(client, product, warehouseId, invalid);
  await checkBelowReserved(client, invalid, {
    from: `import_row f join stock_level l on l.sku = f.sku and l.warehouse_id = $1`,
    reserved: 'l.reserved',
    values: [warehouseId],
  });
}

async function checkDuplicates(client: pg.Client, invalid: InvalidRows): Promise<void> {
  const twice = `(select line, sku, min(line) over (partition by sku) as first from import_row) t
    where line > first`;
  const { rows } = await client.query<{ line: number; sku: string; first: number; of: number }>(
    `select *, count(*) over ()::int as of from ${twice} order by line limit ${invalidRowsListedMax}`,
  );
  if (rows.length === 0) return;
  const found = rows.map(({ line, sku, first }) => {
    return { line, sku, reason: `the sku stands in line ${first} already` };
  });
  invalid.addFound(found, rows[0]?.of ?? 0);
  await client.query(`delete from import_row where line in (select line from ${twice})`);
}

/** A sku of which the warehouse has a level was known once, and stays; others are asked for. */
async function checkUnknownSkus(
  client: pg.Client,
  product: ServiceClient,
  warehouseId: string,
  invalid: InvalidRows,
): Promise<void> {
  await client.query(
    `insert into import_new select line, sku from import_row f
     where not exists (select from stock_level where warehouse_id = $1 and sku = f.sku)`,
    [warehouseId],
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
      found.push({ line, sku, reason: 'there is no such sku' });
    }
    if (rows.length < skusPerCall) break;
    after = rows.at(-1)?.line ?? 0;
  }
  invalid.addFound(found, count);
}

interface Joined {
  /** tables, of which the rows of the file are called `f` */
  readonly from: string;
  readonly reserved: string;
  readonly values?: unknown[];
}

/** Units that orders hold cannot be counted away. */
export async function checkBelowReserved(
  client: pg.Client,
  invalid: InvalidRows,
  { from, reserved, values = [] }: Joined,
): Promise<void> {
  const { rows } = await client.query<{ line: number; sku: string; held: number; of: number }>(
    `select f.line, f.sku, ${reserved} as held, count(*) over ()::int as of
     from ${from} where f.quantity < ${reserved} order by f.line limit ${invalidRowsListedMax}`,
    values,
  );
  const found = rows.map(({ line, sku, held }) => {
    return { line, sku, reason: `the quantity is below the ${held} units that orders hold` };
  });
  invalid.addFound(found, rows[0]?.of ?? 0);
}
