import {
  type EntityDictionary,
  type EntityMetadata,
  type EntityName,
  type EntityProperty,
  type FilterQuery,
  isRaw,
  type NativeInsertUpdateManyOptions,
  type QueryResult,
  ReferenceKind,
  type UpsertManyOptions,
  Utils,
} from '@mikro-orm/core';
import { PostgreSqlDriver } from '@mikro-orm/postgresql';
import { CompiledQuery, type Kysely } from 'kysely';
import { arrayValue, parameterType } from './column-arrays.js';
import { keepPrepared } from './prepared-statements.js';
import { unnestOf } from './sql.js';

/**
 * MikroORM’s driver; a flush updates several rows of an entity by one prepared statement, with an array for each
 * column. MikroORM’s own statement is a CASE for each column with a branch for each row, as a new text each time
 * (docs/adr/0046). It is still used where rows change different columns or a column is not a plain value.
 */
export class BatchUpdateDriver extends PostgreSqlDriver {
  override nativeUpdateMany<T extends object>(
    entityName: EntityName<T>,
    where: FilterQuery<T>[],
    data: EntityDictionary<T>[],
    options: NativeInsertUpdateManyOptions<T> & UpsertManyOptions<T> = {},
    transform?: (sql: string, params: unknown[]) => string,
  ): Promise<QueryResult<T>> {
    const meta = this.metadata.get(entityName);
    // Values of a flush are already as the database takes them.
    const isFlush = options.convertCustomTypes === false && !options.upsert && !transform;
    const columns = isFlush ? commonColumns(meta, data) : undefined;
    if (!columns) return super.nativeUpdateMany(entityName, where, data, options, transform);

    const text = updateText(meta, columns);
    const keys = where.map((key) => Utils.getOrderedPrimaryKeys(key as never, meta));
    const values = [
      ...meta.primaryKeys.map((_, n) => keys.map((key) => arrayValue(key[n]))),
      ...columns.map((name) => data.map((row) => arrayValue(row[name as never]))),
    ];
    keepPrepared(text);
    const client = (options.ctx as Kysely<T> | undefined) ?? this.connection.getClient<T>();
    return this.rethrow(update(client as Kysely<T>, text, values));
  }
}

async function update<T extends object>(client: Kysely<T>, text: string, values: unknown[]) {
  const { rows } = await client.executeQuery<T>(CompiledQuery.raw(text, values));
  return { affectedRows: rows.length, row: rows[0], rows } as unknown as QueryResult<T>;
}

/** @returns the properties that all rows change, if they are the same and have plain values */
function commonColumns<T extends object>(
  meta: EntityMetadata<T>,
  data: readonly EntityDictionary<T>[],
): string[] | undefined {
  const names = Object.keys(data[0] ?? {});
  if (names.length === 0 || meta.versionProperty || meta.concurrencyCheckKeys.size > 0) return;
  const isPlain = propertiesOf(meta, [...names, ...meta.primaryKeys]).every(
    (property) =>
      property?.kind === ReferenceKind.SCALAR &&
      property.fieldNames.length === 1 &&
      !property.columnTypes[0]?.endsWith('[]') &&
      !property.customType?.convertToDatabaseValueSQL,
  );
  const isSame = data.every(
    (row) =>
      Object.keys(row).length === names.length &&
      names.every((name) => name in row && !isRaw(row[name as never])),
  );
  return isPlain && isSame ? names : undefined;
}

const propertiesOf = <T extends object>(meta: EntityMetadata<T>, names: readonly string[]) =>
  names.map((name) => meta.properties[name as never] as EntityProperty<T>);

function updateText<T extends object>(meta: EntityMetadata<T>, columns: readonly string[]): string {
  const quoted = (field: string) => `"${field}"`;
  const fieldsOf = (names: readonly string[]) =>
    propertiesOf(meta, names).map(({ fieldNames }) => quoted(fieldNames[0] as string));
  const keys = fieldsOf(meta.primaryKeys);
  const changed = fieldsOf(columns);
  const types = propertiesOf(meta, [...meta.primaryKeys, ...columns]).map(({ columnTypes }) =>
    parameterType(columnTypes[0] as string),
  );
  const computed = fieldsOf(meta.props.filter((each) => each.generated).map(({ name }) => name));
  return `update ${quoted(meta.tableName)} as t
    set ${changed.map((field) => `${field} = each.${field}`).join(', ')}
    from ${unnestOf(...types)} as each (${[...keys, ...changed].join(', ')})
    where ${keys.map((field) => `t.${field} = each.${field}`).join(' and ')}
    returning ${[...keys, ...computed].map((field) => `t.${field}`).join(', ')}`;
}
