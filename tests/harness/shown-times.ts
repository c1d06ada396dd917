import type { MikroORM } from '@mikro-orm/postgresql';
import { type GraphQLSchema, getNamedType, isObjectType } from 'graphql';
import { getMetadataStorage } from 'type-graphql';
import { sql } from '../../subgraphs/shared/database/sql.js';
import { DateTime } from '../../subgraphs/shared/graphql/scalars.js';

/**
 * The columns of the entities that the API shows as a time and that store it finer than in milliseconds, as it
 * is shown. A client that compares with a time that it was shown would then miss its row.
 *
 * @returns `table.column type` of each
 */
export async function timesFinerThanShown(orm: MikroORM, schema: GraphQLSchema): Promise<string[]> {
  const { objectTypes } = getMetadataStorage();
  const shown = [...orm.getMetadata().getAll().values()].flatMap((meta) =>
    objectTypes
      .filter(({ target }) => target === meta.class)
      .flatMap(({ name }) => timesOf(schema, name))
      .flatMap((field) => meta.properties[field]?.fieldNames ?? [])
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

/** The names of the fields of a type that are times. From the schema, which has those of resolver classes too. */
function timesOf(schema: GraphQLSchema, typeName: string): string[] {
  const type = schema.getType(typeName);
  if (!isObjectType(type)) return [];
  return Object.values(type.getFields())
    .filter((field) => getNamedType(field.type) === DateTime)
    .map(({ name }) => name);
}
