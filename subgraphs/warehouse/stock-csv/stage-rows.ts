import type pg from 'pg';
import type { ServiceClient } from '../../shared/http/service-client.js';
import { findUnknownSkus } from '../stock/require-skus.js';
import { type BadLine, type BadLines, badLinesListedMax } from './invalid-rows.js';
import type { StockLine } from './read-rows.js';

const linesPerInsert = 5000;
const skusPerQuestion = 1000;

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
  create temporary table import_line (line int primary key, sku varchar(64) not null,
    quantity int not null, threshold int);
  create temporary table import_new (line int primary key, sku varchar(64) not null);
  create temporary table import_change (like import_line, tail uuid default gen_random_uuid());
  create temporary table import_delta (like import_line, id uuid not null, level_id uuid not null,
    is_new_level boolean not null, on_hand int not null, reserved int not null,
    available_before int)`;

/** Writes lines to a table of the connection, so that no more of them than one insert's are in memory. */
export async function stageLines(
  client: pg.Client,
  lines: AsyncIterable<StockLine>,
): Promise<number> {
  await client.query(tables);
  let count = 0;
  let batch: StockLine[] = [];
  const insert = async () => {
    count += batch.length;
    await client.query(
      'insert into import_line select * from unnest($1::int[], $2::text[], $3::int[], $4::int[])',
      [
        batch.map(({ line }) => line),
        batch.map(({ sku }) => sku),
        batch.map(({ quantity }) => quantity),
        batch.map(({ threshold }) => threshold),
      ],
    );
    batch = [];
  };
  for await (const line of lines) {
    batch.push(line);
    if (batch.length === linesPerInsert) await insert();
  }
  if (batch.length > 0) await insert();
  await client.query('analyze import_line');
  return count;
}

/** Finds what only the lines together, the database and the product subgraph can tell. */
export async function checkLines(
  client: pg.Client,
  product: ServiceClient,
  warehouseId: string,
  bad: BadLines,
): Promise<void> {
  await findTwice(client, bad);
  await findUnknown(client, product, warehouseId, bad);
  await findBelowReserved(client, bad, {
    from: `import_line f join stock_level l on l.sku = f.sku and l.warehouse_id = $1`,
    reserved: 'l.reserved',
    values: [warehouseId],
  });
}

async function findTwice(client: pg.Client, bad: BadLines): Promise<void> {
  const twice = `(select line, sku, min(line) over (partition by sku) as first from import_line) t
    where line > first`;
  const { rows } = await client.query<{ line: number; sku: string; first: number; of: number }>(
    `select *, count(*) over ()::int as of from ${twice} order by line limit ${badLinesListedMax}`,
  );
  if (rows.length === 0) return;
  const found = rows.map(({ line, sku, first }) => {
    return { line, sku, reason: `the sku stands in line ${first} already` };
  });
  bad.addFound(found, rows[0]?.of ?? 0);
  await client.query(`delete from import_line where line in (select line from ${twice})`);
}

/** A sku of which the warehouse has a level was known once, and stays; others are asked for. */
async function findUnknown(
  client: pg.Client,
  product: ServiceClient,
  warehouseId: string,
  bad: BadLines,
): Promise<void> {
  await client.query(
    `insert into import_new select line, sku from import_line f
     where not exists (select from stock_level where warehouse_id = $1 and sku = f.sku)`,
    [warehouseId],
  );
  const found: BadLine[] = [];
  let count = 0;
  for (let after = 0; ; ) {
    const { rows } = await client.query<{ line: number; sku: string }>(
      `select line, sku from import_new where line > $1 order by line limit ${skusPerQuestion}`,
      [after],
    );
    const unknown = new Set(
      await findUnknownSkus(
        product,
        rows.map(({ sku }) => sku),
      ),
    );
    const lines = rows.filter(({ sku }) => unknown.has(sku));
    count += lines.length;
    for (const { line, sku } of lines.slice(0, badLinesListedMax - found.length)) {
      found.push({ line, sku, reason: 'there is no such sku' });
    }
    if (rows.length < skusPerQuestion) break;
    after = rows.at(-1)?.line ?? 0;
  }
  bad.addFound(found, count);
}

interface Joined {
  /** tables, of which the lines are called `f` */
  readonly from: string;
  readonly reserved: string;
  readonly values?: unknown[];
}

/** Units that orders hold cannot be counted away. */
export async function findBelowReserved(
  client: pg.Client,
  bad: BadLines,
  { from, reserved, values = [] }: Joined,
): Promise<void> {
  const { rows } = await client.query<{ line: number; sku: string; held: number; of: number }>(
    `select f.line, f.sku, ${reserved} as held, count(*) over ()::int as of
     from ${from} where f.quantity < ${reserved} order by f.line limit ${badLinesListedMax}`,
    values,
  );
  const found = rows.map(({ line, sku, held }) => {
    return { line, sku, reason: `the quantity is below the ${held} units that orders hold` };
  });
  bad.addFound(found, rows[0]?.of ?? 0);
}
