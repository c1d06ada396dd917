import type { Reader } from '../databases/clients.js';

const pageMax = 5000;
const lowest = '00000000-0000-0000-0000-000000000000';

/**
 * Reads rows in the order of a UUID, page by page: all of a table, or those with one of the ids.
 *
 * @param sql the statement, which ends with `order by` the column. @param ids null for all
 */
export async function* pages<T extends { id: string }>(
  reader: Reader,
  column: string,
  sql: (only: string) => string,
  ids: readonly string[] | null,
): AsyncGenerator<T[]> {
  if (ids) {
    for (let at = 0; at < ids.length; at += pageMax) {
      const page = ids.slice(at, at + pageMax);
      const { rows } = await reader.query<T>(sql(`${column} = any($1::uuid[])`), [page]);
      if (rows.length > 0) yield rows;
    }
    return;
  }
  for (let after = lowest; ; ) {
    const { rows } = await reader.query<T>(`${sql(`${column} > $1`)} limit ${pageMax}`, [after]);
    if (rows.length === 0) return;
    yield rows;
    after = (rows.at(-1) as T).id;
  }
}
