import type { EntityManager } from '@mikro-orm/postgresql';
import { CompiledQuery, type Kysely } from 'kysely';
import { keepPrepared } from './prepared-statements.js';

/**
 * Runs one statement with bound parameters (`$1`, `$2`, …), in the transaction of `em` if it has one.
 * Timestamps and `numeric` are returned as strings.
 */
export async function sql<T>(
  em: EntityManager,
  text: string,
  values: unknown[] = [],
): Promise<T[]> {
  const result = await clientOf(em).executeQuery<T>(CompiledQuery.raw(text, values));
  return result.rows;
}

/** Runs one statement with bound parameters, on whatever connection. */
export type RunSql = <T extends object>(text: string, values: unknown[]) => Promise<T[]>;

/** `sql` with `em`. */
export const sqlWith =
  (em: EntityManager): RunSql =>
  (text, values) =>
    sql(em, text, values);

/** The transaction of `em`, if it has one; else its pool. */
const clientOf = (em: EntityManager) =>
  em.getTransactionContext<Kysely<unknown>>() ?? em.getConnection().getClient();

/**
 * As `sql`, for hot paths: PostgreSQL parses and plans the statement once per connection. For a small number
 * of texts, since each is kept here and in PostgreSQL while the process runs.
 */
export function sqlPrepared<T>(em: EntityManager, text: string, values: unknown[]): Promise<T[]> {
  keepPrepared(text);
  return sql<T>(em, text, values);
}

/**
 * SQL for the list that is a parameter of a prepared statement, for `= any(…)`. PostgreSQL does not see its length when
 * it plans: else it would plan the statement again for each short list, whose plan it takes for cheaper than that of
 * a list of unknown length.
 */
export const listOf = (parameter: number, type: string): string =>
  `(select $${parameter}::${type}[])::${type}[]`;

/** SQL for rows of the parameters `$1`, `$2` …, a list (`listOf`) for each column. */
export const unnestOf = (...types: readonly string[]): string =>
  `unnest(${types.map((type, n) => listOf(n + 1, type)).join(', ')})`;

/** As `sql`, but returns the number of changed rows. */
export async function sqlCount(
  em: EntityManager,
  text: string,
  values: unknown[],
): Promise<number> {
  const result = await clientOf(em).executeQuery(CompiledQuery.raw(text, values));
  return Number(result.numAffectedRows ?? 0);
}
