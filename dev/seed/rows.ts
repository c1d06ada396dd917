import pg from 'pg';

type Row = Readonly<Record<string, unknown>>;

/** Rows of one table, each an object of column → value, all with the same columns. */
export interface TableRows {
  readonly table: string;
  readonly rows: Iterable<Row>;
  /** columns: a row is left out if the table has one with the same values; by default, with the same key */
  readonly unlessThereIs?: readonly string[];
}

/** A row for each thing, generated when it is inserted: all at once would not fit in memory. */
export function* each<T>(things: Iterable<T>, rowOf: (thing: T) => Row): Generator<Row> {
  for (const thing of things) yield rowOf(thing);
}

const chunkMax = 2000;

/**
 * Inserts rows into one database, in one transaction. Existing rows stay unchanged.
 *
 * @param onRows called after each chunk with its number of rows
 */
export async function insertRows(
  url: string,
  tables: readonly TableRows[],
  onRows: (count: number) => void,
): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('begin');
    for (const { table, rows, unlessThereIs = [] } of tables) {
      for (const chunk of chunksOf(rows)) {
        await insertChunk(client, table, chunk, unlessThereIs);
        onRows(chunk.length);
      }
    }
    await client.query('commit');
  } finally {
    await client.end();
  }
}

function* chunksOf(rows: Iterable<Row>): Generator<Row[]> {
  let chunk: Row[] = [];
  for (const row of rows) {
    chunk.push(row);
    if (chunk.length < chunkMax) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

/** Inserts rows with one statement; the first row decides on the columns. */
async function insertChunk(
  client: pg.Client,
  table: string,
  rows: readonly Row[],
  unlessThereIs: readonly string[],
): Promise<void> {
  const columns = Object.keys(rows[0] ?? {});
  const names = columns.map((column) => client.escapeIdentifier(column)).join(', ');
  const into = client.escapeIdentifier(table);
  const same = unlessThereIs.map((column) => `there.${column} = new.${column}`).join(' and ');
  await client.query(
    `insert into ${into} (${names})
     select ${names} from json_populate_recordset(null::${into}, $1) as new
     ${same && `where not exists (select from ${into} there where ${same})`}
     on conflict do nothing`,
    [JSON.stringify(rows)],
  );
}

/**
 * Updates the planner's statistics, which are out of date after so many inserts. Empty tables are skipped:
 * PostgreSQL plans a sequential scan of a table that it knows to be empty, and connections keep such plans
 * (of foreign keys too) after a sale has filled it.
 */
export async function analyze(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const tables = await client.query<{ name: string }>(
      `select quote_ident(tablename) as name from pg_tables where schemaname = current_schema()`,
    );
    for (const { name } of tables.rows) {
      const { rowCount } = await client.query(`select from ${name} limit 1`);
      if (rowCount) await client.query(`analyze ${name}`);
    }
  } finally {
    await client.end();
  }
}
