import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../shared/database/sql.js';
import { nameCollation } from '../shared/text/collation.js';

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
