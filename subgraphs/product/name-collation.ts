import type { EntityManager } from '@mikro-orm/postgresql';
import { ConfigError } from '../shared/config.js';
import { isDatabaseUnavailable } from '../shared/database/errors.js';
import { sql } from '../shared/database/sql.js';
import { nameCollation } from '../shared/text/collation.js';

/**
 * Passes while the database is away: the process starts all the same, and is not ready.
 *
 * @throws ConfigError for a server that cannot sort names
 */
export async function requireNameCollation(em: EntityManager): Promise<void> {
  const query = 'select from pg_collation where collname = $1';
  const found = await sql(em, query, [nameCollation]).catch((error: unknown) => {
    if (isDatabaseUnavailable(error)) return null;
    throw error;
  });
  if (found === null || found.length > 0) return;
  throw new ConfigError([
    `DATABASE_URL: PostgreSQL has no collation "${nameCollation}", by which names are sorted; use a server that is built with ICU`,
  ]);
}

/**
 * 1 if the server has another version of the collation than the one that the indexes of names were built with: they may
 * have another order, and lists by name miss products until the indexes are built again.
 */
export async function readCollationChange(em: EntityManager): Promise<number> {
  const rows = await sql<{ changed: boolean }>(
    em,
    `select collversion is distinct from pg_collation_actual_version(oid) as changed
     from pg_collation where collname = $1`,
    [nameCollation],
  );
  return rows.some(({ changed }) => changed) ? 1 : 0;
}
