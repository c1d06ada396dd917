import type { EntityClass, EntityProperty, RequiredEntityData } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { arrayValue, parameterType } from './column-arrays.js';
import { sqlPrepared } from './sql.js';

/**
 * Inserts plain rows in one statement: one array for each column, or one value if it is the same in all
 * rows. `em.insertMany` uses VALUES, which is expensive to build and for PostgreSQL to parse
 * (docs/adr/0006). All rows must have the same properties; omitted columns get their defaults. There is one
 * prepared statement for each set of columns with equal values.
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
  // At least one array is needed for the number of rows.
  if (differing.size === 0) differing.add(names[0] as keyof T & string);
  const columns = names.map((name, n) => {
    const { columnTypes, fieldNames } = properties[name as never] as EntityProperty<T>;
    const type = parameterType(columnTypes[0] as string);
    const isArray = differing.has(name);
    // `unnest` would take arrays of arrays apart completely: they are passed as texts.
    const isList = type.endsWith('[]');
    const parameter = `$${n + 1}::${isList ? 'text' : type}${isArray ? '[]' : ''}`;
    const cast = isList ? `::${type}` : '';
    return { name, field: fieldNames[0] as string, isArray, isList, parameter, cast };
  });
  const arrays = columns.filter(({ isArray }) => isArray);
  const all = columns.map(({ field, isArray, parameter, cast }) =>
    isArray ? `each.${field}${cast}` : `${parameter}${cast}`,
  );
  await sqlPrepared(
    em,
    `insert into ${tableName} (${columns.map(({ field }) => field).join(', ')})
     select ${all.join(', ')} from unnest(${arrays.map(({ parameter }) => parameter).join(', ')})
       as each (${arrays.map(({ field }) => field).join(', ')})`,
    columns.map(({ name, isArray, isList }) =>
      isArray
        ? rows.map((row) => columnValue((row as T)[name], isList))
        : columnValue(first[name], isList),
    ),
  );
}

const isSame = (a: unknown, b: unknown) =>
  a === b ||
  (a instanceof Date && b instanceof Date && a.getTime() === b.getTime()) ||
  (Array.isArray(a) && Array.isArray(b) && listText(a) === listText(b));

function columnValue(value: unknown, isList: boolean): unknown {
  return isList && Array.isArray(value) ? listText(value) : arrayValue(value);
}

/** An array as PostgreSQL writes it. */
const listText = (values: readonly unknown[]): string =>
  `{${values.map((value) => `"${String(value).replace(/["\\]/g, '\\$&')}"`).join(',')}}`;
