import type { EntityClass, EntityProperty, RequiredEntityData } from '@mikro-orm/core';
import { type EntityManager, sqlPrepared } from './database.js';

/**
 * Inserts plain rows in one statement, an array for each column. `em.insertMany` does the same with
 * VALUES, which cost us to write and PostgreSQL to parse (docs/adr/0006). All rows have the same
 * properties; what is left out gets the column's default.
 */
export async function insertRows<T extends object>(
  em: EntityManager,
  entity: EntityClass<T>,
  rows: readonly RequiredEntityData<T>[],
): Promise<void> {
  const [first] = rows;
  if (!first) return;
  const { tableName, properties } = em.getMetadata().get(entity);
  const names = Object.keys(first) as (keyof T & string)[];
  const columns = names.map((name) => properties[name as never] as EntityProperty<T>);
  // Without its length: a cast to varchar(n) would cut a text that is too long, where the column refuses it.
  const types = columns.map(({ columnTypes }) => columnTypes[0]?.replace(/\(.*\)/, ''));
  const arrays = types.map((type, n) => `$${n + 1}::${type}[]`);
  await sqlPrepared(
    em,
    `insert into ${tableName} (${columns.map(({ fieldNames }) => fieldNames[0]).join(', ')})
     select * from unnest(${arrays.join(', ')})`,
    names.map((name) => rows.map((row) => columnValue((row as T)[name]))),
  );
}

function columnValue(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : value;
}
