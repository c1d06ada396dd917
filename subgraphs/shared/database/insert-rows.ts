import type { EntityClass, EntityProperty, RequiredEntityData } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { sqlPrepared } from './sql.js';

/**
 * Inserts plain rows in one statement: an array for each column, but for those that are the same in all
 * rows, which are sent once. `em.insertMany` does the same with VALUES, which cost us to write and
 * PostgreSQL to parse (docs/adr/0006). All rows have the same properties; what is left out gets the
 * column's default. A call has a text, which is kept, for each set of columns that it may have in common.
 */
export async function insertRows<T extends object>(
  em: EntityManager,
  entity: EntityClass<T>,
  rows: readonly RequiredEntityData<T>[],
): Promise<void> {
  const [first] = rows as readonly T[];
  if (!first) return;
  const { tableName, properties } = em.getMetadata().get(entity);
  const names = Object.keys(first) as (keyof T & string)[];
  const isOne = (name: keyof T) => rows.every((row) => isSame((row as T)[name], first[name]));
  const differing = new Set(names.filter((name) => !isOne(name)));
  // One array at least tells how many rows there are.
  if (differing.size === 0) differing.add(names[0] as keyof T & string);
  const columns = names.map((name, n) => {
    const { columnTypes, fieldNames } = properties[name as never] as EntityProperty<T>;
    // Without its length: a cast to varchar(n) would cut a text that is too long, where the column refuses it.
    const type = columnTypes[0]?.replace(/\(.*\)/, '');
    const isArray = differing.has(name);
    const parameter = `$${n + 1}::${type}${isArray ? '[]' : ''}`;
    return { name, field: fieldNames[0] as string, isArray, parameter };
  });
  const arrays = columns.filter(({ isArray }) => isArray);
  const all = columns.map(({ field, isArray, parameter }) =>
    isArray ? `each.${field}` : parameter,
  );
  await sqlPrepared(
    em,
    `insert into ${tableName} (${columns.map(({ field }) => field).join(', ')})
     select ${all.join(', ')} from unnest(${arrays.map(({ parameter }) => parameter).join(', ')})
       as each (${arrays.map(({ field }) => field).join(', ')})`,
    columns.map(({ name, isArray }) =>
      isArray ? rows.map((row) => columnValue((row as T)[name])) : columnValue(first[name]),
    ),
  );
}

const isSame = (a: unknown, b: unknown) =>
  a === b || (a instanceof Date && b instanceof Date && a.getTime() === b.getTime());

function columnValue(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : value;
}
