import { withDedicatedConnection } from '../../shared/database/dedicated-connection.js';
import type { OutcomeUnknown } from '../../shared/errors.js';
import {
  claimInTransaction,
  type RequestKey,
  RequestRepeated,
} from '../../shared/idempotency/stored-outcome.js';
import { sqlOf } from './apply-rows.js';
import type { ImportOutcome } from './stock-import.js';

const lookUpMaxMs = 5000;
const lookUpEveryMs = 100;

/**
 * Looks up an import whose COMMIT was not answered, by its key (ADR 26). PostgreSQL may still run the
 * transaction; to claim the key waits for its end.
 *
 * @param lost thrown if the database does not come back in time
 * @returns the outcome; null if the import did not happen
 */
export async function findLostImport(
  url: string,
  key: RequestKey,
  lost: OutcomeUnknown,
): Promise<ImportOutcome | null> {
  const settings = { name: 'stock-import', url, transactionMaxMs: lookUpMaxMs };
  const deadlineMs = Date.now() + lookUpMaxMs;
  for (;;) {
    try {
      return await withDedicatedConnection(settings, async (client) => {
        await client.query('begin');
        await claimInTransaction(sqlOf(client), key);
        await client.query('rollback');
        return null;
      });
    } catch (error) {
      if (error instanceof RequestRepeated) return error.outcome as ImportOutcome;
      if (Date.now() > deadlineMs) throw lost;
    }
    await new Promise((resolve) => setTimeout(resolve, lookUpEveryMs));
  }
}
