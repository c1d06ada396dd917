import type { EntityClass, EntityProperty } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';

const known = new WeakMap<object, readonly string[]>();

/**
 * The columns of an entity for a `select`, for prepared statements: a column that a migration adds would
 * change the result type of `*`, and PostgreSQL would refuse the statement.
 *
 * @param prefix such as `l.`
 */
export function columnsOf(em: EntityManager, entity: EntityClass<object>, prefix = ''): string {
  const columns =
    known.get(entity) ??
    Object.values<EntityProperty>(em.getMetadata().get(entity).properties)
      .filter(({ persist }) => persist !== false)
      .flatMap(({ fieldNames }) => fieldNames ?? []);
  known.set(entity, columns);
  return columns.map((column) => prefix + column).join(', ');
}
