import type { EntityManager } from '@mikro-orm/postgresql';
import { isDatabaseUnavailable } from '../../shared/database/errors.js';
import { sql } from '../../shared/database/sql.js';
import { OutcomeUnknown } from '../../shared/errors.js';
import type { Ledger } from './ledger.js';

const lookUpMaxMs = 5000;
const lookUpEveryMs = 100;

/**
 * Looks up the outcome of a transaction whose COMMIT was not answered (ADR 26).
 *
 * @param isProven whether a row that it wrote is there: a standby that took over meanwhile may have used the id for
 *   another transaction
 * @throws OutcomeUnknown if the database does not come back in time
 */
export async function wasCommitted(
  em: EntityManager,
  transactionId: string,
  isProven: () => Promise<boolean>,
): Promise<boolean> {
  const deadlineMs = Date.now() + lookUpMaxMs;
  for (;;) {
    try {
      const [row] = await sql<{ status: string }>(em, 'select pg_xact_status($1::xid8) as status', [
        transactionId,
      ]);
      // PostgreSQL may still run it, though this process has lost the connection.
      if (row?.status !== 'in progress') {
        return row?.status === 'committed' && (await isProven());
      }
    } catch (error) {
      if (!isDatabaseUnavailable(error)) throw error;
    }
    if (Date.now() > deadlineMs) throw new OutcomeUnknown('the answer to COMMIT was lost');
    await new Promise((resolve) => setTimeout(resolve, lookUpEveryMs));
  }
}

export async function isMovementStored(
  em: EntityManager,
  { shopId, levelId, id }: Ledger['movements'][number],
): Promise<boolean> {
  const rows = await sql(
    em,
    'select 1 from stock_movement where shop_id = $1 and level_id = $2 and id = $3',
    [shopId, levelId, id],
  );
  return rows.length > 0;
}
