import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../shared/database/sql.js';
import { listClosesSql } from './queue-times.js';

/** A queue behind its lock. */
export interface LockedQueue {
  readonly saleId: string;
  /** the list of early tickets is closed */
  readonly isClosed: boolean;
  /** the time has come to close it */
  readonly isDue: boolean;
  /** nobody waits any more */
  readonly isOver: boolean;
}

/**
 * Locks queues in the order of their ids. Their state is that behind the lock, also where it was waited for; the clock
 * is read after it.
 *
 * @param strength `share`: others may hold it for share, too
 */
export async function lockQueues(
  tx: EntityManager,
  saleIds: readonly string[],
  strength: 'share' | 'update',
): Promise<Map<string, LockedQueue>> {
  const rows = await sql<LockedQueue>(
    tx,
    `with locked as materialized (
       select sale_id, closed_at, ended_at, starts_at, ends_at from sale_queue q
       where sale_id = any($1::uuid[]) order by sale_id for ${strength}
     )
     select sale_id as "saleId", closed_at is not null as "isClosed",
       clock_timestamp() >= ${listClosesSql('locked')} as "isDue",
       ended_at is not null or clock_timestamp() >= ends_at as "isOver"
     from locked`,
    [[...new Set(saleIds)]],
  );
  return new Map(rows.map((row) => [row.saleId, row]));
}
