import pg from 'pg';

/** One table's rows, each an object of column → value. */
export interface TableRows {
  readonly table: string;
  readonly rows: ReadonlyArray<Readonly<Record<string, unknown>>>;
}

const chunkMax = 2000;

/** Inserts rows of one database, in one transaction; rows that are there already are left alone. */
export async function insertRows(url: string, tables: readonly TableRows[]): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  let inserted = 0;
  try {
    await client.query('begin');
    for (const { table, rows } of tables) {
      for (let at = 0; at < rows.length; at += chunkMax) {
        inserted += await insertChunk(client, table, rows.slice(at, at + chunkMax));
      }
    }
    await client.query('commit');
  } finally {
    await client.end();
  }
  return inserted;
}

async function insertChunk(client: pg.Client, table: string, rows: TableRows['rows']) {
  const columns = Object.keys(rows[0] ?? {});
  const names = columns.map((column) => client.escapeIdentifier(column)).join(', ');
  const { rowCount } = await client.query(
    `insert into ${client.escapeIdentifier(table)} (${names})
     select ${names} from jsonb_populate_recordset(null::${client.escapeIdentifier(table)}, $1)
     on conflict do nothing`,
    [JSON.stringify(rows)],
  );
  return rowCount ?? 0;
}
