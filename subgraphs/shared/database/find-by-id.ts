import type { EntityClass, EntityProperty } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { sqlPrepared } from './sql.js';

const texts = new WeakMap<object, string>();

/**
 * As `findOneOrFail` by id in a manager of its own, for what many requests read: by a statement that
 * is prepared, which PostgreSQL need not plan and MikroORM need not put together.
 */
export async function findById<T extends object>(
  em: EntityManager,
  entity: EntityClass<T>,
  id: string,
): Promise<T> {
  const { tableName, properties } = em.getMetadata().get(entity);
  const text = texts.get(entity) ?? selectOf(tableName, Object.values(properties));
  texts.set(entity, text);
  const [row] = await sqlPrepared<object>(em, text, [id]);
  if (!row) throw new Error(`there is no ${tableName} ${id}`);
  return em.fork().map(entity, row as never);
}

// Not `*`: a column that a migration adds would change what the statement was prepared to give.
function selectOf(tableName: string, properties: readonly EntityProperty[]): string {
  const columns = properties
    .filter(({ persist }) => persist !== false)
    .flatMap(({ fieldNames }) => fieldNames ?? []);
  return `select ${columns.join(', ')} from ${tableName} where id = $1`;
}
