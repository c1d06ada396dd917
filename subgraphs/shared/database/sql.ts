import type { EntityManager } from '@mikro-orm/postgresql';
import { CompiledQuery, type Kysely } from 'kysely';
import { keepPrepared } from './prepared-statements.js';

/**
 * Runs one statement with bound parameters (`$1`, `$2`, …), inside the transaction of `em` if it
 * has one. For where SQL is the point; timestamps come as strings, `numeric` too.
 */
export async function sql<T>(
  em: EntityManager,
  text: string,
  values: unknown[] = [],
): Promise<T[]> {
  const result = await clientOf(em).executeQuery<T>(CompiledQuery.raw(text, values));
  return result.rows;
}

/** The transaction of `em`, if it has one; else its pool. */
const clientOf = (em: EntityManager) =>
  em.getTransactionContext<Kysely<unknown>>() ?? em.getConnection().getClient();

/**
 * As `sql`, for what many requests do: PostgreSQL parses and plans it once per connection. For few
 * texts, as each is kept, here and there, as long as the process runs.
 */
export function sqlPrepared<T>(em: EntityManager, text: string, values: unknown[]): Promise<T[]> {
  keepPrepared(text);
  return sql<T>(em, text, values);
}

/** As `sql`, but tells how many rows were changed. */
export async function sqlCount(
  em: EntityManager,
  text: string,
  values: unknown[],
): Promise<number> {
  const result = await clientOf(em).executeQuery(CompiledQuery.raw(text, values));
  return Number(result.numAffectedRows ?? 0);
}
