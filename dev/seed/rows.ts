import pg from 'pg';

type Row = Readonly<Record<string, unknown>>;

/** One table's rows, each an object of column → value, all with the same columns. */
export interface TableRows {
  readonly table: string;
  readonly rows: Iterable<Row>;
}

/** A row of each thing, made when it is inserted: all at once they would not fit in memory. */
export function* each<T>(things: Iterable<T>, rowOf: (thing: T) => Row): Generator<Row> {
  for (const thing of things) yield rowOf(thing);
}

const chunkMax = 2000;

/**
 * Inserts rows of one database, in one transaction; rows that are there already are left alone.
 *
 * @param onRows told how many rows were looked at since it was last told
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
    for (const { table, rows } of tables) {
      for (const chunk of chunksOf(rows)) {
        await insertChunk(client, table, chunk);
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

/** One statement: the columns, in the order in which they stand in the first row. */
async function insertChunk(client: pg.Client, table: string, rows: readonly Row[]): Promise<void> {
  const columns = Object.keys(rows[0] ?? {});
  const names = columns.map((column) => client.escapeIdentifier(column)).join(', ');
  await client.query(
    `insert into ${client.escapeIdentifier(table)} (${names})
     select ${names} from json_populate_recordset(null::${client.escapeIdentifier(table)}, $1)
     on conflict do nothing`,
    [JSON.stringify(rows)],
  );
}

/**
 * So many rows are new at once that PostgreSQL would plan by what was there before. Tables that are empty
 * are left as they are: what is known to be empty is read from end to end, and connections keep such plans
 * (of foreign keys too) when a sale has filled it.
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
