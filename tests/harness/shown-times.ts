import type { MikroORM } from '@mikro-orm/postgresql';
import { getMetadataStorage } from 'type-graphql';
import { sql } from '../../subgraphs/shared/database/sql.js';

/**
 * The columns of the entities that the API shows as a time and that store it finer than in milliseconds, as it
 * is shown. A client that compares with a time that it was shown would then miss its row.
 *
 * @returns `table.column type` of each
 */
export async function timesFinerThanShown(orm: MikroORM): Promise<string[]> {
  const { fields } = getMetadataStorage();
  const shown = [...orm.getMetadata().getAll().values()].flatMap((meta) =>
    fields
      .filter(({ target, getType }) => target === meta.class && getType() === Date)
      .flatMap(({ name }) => meta.properties[name]?.fieldNames ?? [])
      .map((column) => ({ table: meta.tableName, column })),
  );
  const rows = await sql<{ found: string }>(
    orm.em.fork(),
    `select concat(attrelid::regclass, '.', attname, ' ', format_type(atttypid, atttypmod)) as found
     from unnest($1::text[], $2::text[]) as shown (table_name, column_name)
       join pg_attribute on attrelid = table_name::regclass and attname = column_name
     where format_type(atttypid, atttypmod) <> 'timestamp(3) with time zone' order by 1`,
    [shown.map(({ table }) => table), shown.map(({ column }) => column)],
  );
  return rows.map(({ found }) => found);
}
