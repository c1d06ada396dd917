import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../shared/database/sql.js';

/**
 * Lock order of the shop database:
 *
 * 0. the row of the request’s idempotency key: `Once.begin`;
 * 1. one sale (`lockSale`), by those who change it; or one sku, by an advisory lock: shared by those who set an offer
 *    of it (`shareSku`), exclusive for events that rename or retire all its offers (`lockSku`);
 * 2. its row of `variant_name` or `retired_sku`;
 * 3. offers, in the order of their ids where they are several, by the statements that change them.
 *
 * Without the lock on the sku, an offer could be inserted, with an old name or of a removed variant, by a
 * transaction that the event's transaction cannot see yet. The lock ends with the transaction.
 */

/** SQL that takes the exclusive lock of a sku (`$1`). */
export const lockSkuSql = 'select pg_advisory_xact_lock(hashtextextended($1, 0))';

/** Waits for the transactions that set offers of the sku, and keeps others from beginning. */
export async function lockSku(tx: EntityManager, sku: string): Promise<void> {
  await sql(tx, lockSkuSql, [sku]);
}

/** Keeps the sku from being renamed or retired; others may set offers of it at the same time. */
export async function shareSku(tx: EntityManager, sku: string): Promise<void> {
  await sql(tx, 'select pg_advisory_xact_lock_shared(hashtextextended($1, 0))', [sku]);
}
