import type pg from 'pg';
import {
  isCommitLost,
  isDatabaseUnavailable,
  isDeadlock,
  isUniqueViolation,
} from '../../shared/database/errors.js';
import type { RunSql } from '../../shared/database/sql.js';
import { OutcomeUnknown, tryAgain } from '../../shared/errors.js';
import { claimInTransaction, storeInTransaction } from '../../shared/idempotency/stored-outcome.js';
import type { InShop } from '../locks.js';
import { ConcurrentChange } from '../stock/stock-errors.js';
import { checkChanges, findChanges, findShortfalls, readLevels } from './staged-changes.js';
import type { ImportOutcome, StockImport } from './stock-import.js';
import { writeChanges } from './write-changes.js';

export interface Applied {
  readonly outcome: ImportOutcome;
  /** how long the items were locked */
  readonly lockedMs: number;
}

const attemptsMax = 5;
/** After this the answer to COMMIT counts as lost. */
const commitMaxMs = 6000;

export const sqlOf =
  (client: pg.Client): RunSql =>
  async (text, values) =>
    (await client.query(text, values)).rows;

/**
 * Sets levels to the staged rows, all or none, in one transaction. It does for a whole file, in
 * sets, what the `Ledger` does for some rows: the same locks in the same order, and with each level
 * its movement, its item and, if the item came into stock or ran out, the event for the product
 * subgraph. Levels that already equal the file are neither locked nor written.
 *
 * @throws `BAD_USER_INPUT` for rows that do not fit the levels (`checkChanges`); `TRY_AGAIN`
 * @throws RequestRepeated, if the key has an outcome; OutcomeUnknown when the answer to COMMIT was lost
 */
export async function applyRows(client: pg.Client, stockImport: StockImport): Promise<Applied> {
  for (let attempt = 1; ; attempt++) {
    try {
      await client.query('begin');
      const { lockedAt, outcome } = await applyOnce(client, stockImport);
      await commit(client);
      return { outcome, lockedMs: Math.round(performance.now() - lockedAt) };
    } catch (error) {
      // Without a connection it would wait for its own time limit.
      if (isDatabaseUnavailable(error) || error instanceof OutcomeUnknown) throw error;
      await client.query('rollback').catch(() => {});
      const isRepeatable =
        isDeadlock(error) || error instanceof ConcurrentChange || isUniqueViolation(error);
      if (!isRepeatable) throw error;
      if (attempt === attemptsMax) {
        throw tryAgain('This stock is being changed by others. Please send the file again.');
      }
    }
  }
}

async function commit(client: pg.Client): Promise<void> {
  try {
    await client.query({ text: 'commit', query_timeout: commitMaxMs } as pg.QueryConfig);
  } catch (error) {
    if (!isCommitLost(error)) throw error;
    throw new OutcomeUnknown('the answer to COMMIT was lost', { cause: error });
  }
}

async function applyOnce(client: pg.Client, stockImport: StockImport) {
  const { id, warehouse, lines, key } = stockImport;
  if (key) await claimInTransaction(sqlOf(client), key);
  await findChanges(client, warehouse);
  const lockedAt = performance.now();
  await lockItems(client, warehouse.shopId);
  const active = await lockWarehouse(client, warehouse);
  const now = await readTime(client);
  const counts = await readLevels(client, warehouse, now);
  await checkChanges(client, warehouse.shopId);
  await writeChanges(client, stockImport, active, counts, now);
  const shortfalls = await findShortfalls(client);
  const outcome = { id, lines, levelsChanged: counts.changed, ...shortfalls };
  if (key) await storeInTransaction(sqlOf(client), key, outcome);
  return { outcome, lockedAt };
}

/** @returns whether it is active, which does not change before COMMIT */
async function lockWarehouse(client: pg.Client, { shopId, id }: InShop): Promise<boolean> {
  const { rows } = await client.query<{ active: boolean }>(
    'select active from warehouse where shop_id = $1 and id = $2 for share',
    [shopId, id],
  );
  return rows[0]?.active ?? false;
}

/**
 * Every change of a level holds the lock of its item, so that these locks keep levels from
 * changing.
 *
 * @throws ConcurrentChange if another transaction inserted an item that is not locked
 */
async function lockItems(client: pg.Client, shopId: string): Promise<void> {
  const items = `from stock_item where shop_id = $1 and sku in (select sku from import_change)`;
  const locked = await client.query<{ count: string; changes: string }>(
    `select count(*), (select count(*) from import_change) as changes
     from (select ${items} order by shop_id, sku for update) locked`,
    [shopId],
  );
  const [counted] = locked.rows;
  if (counted?.count === counted?.changes) return;
  const now = await client.query<{ count: string }>(`select count(*) ${items}`, [shopId]);
  if (now.rows[0]?.count !== counted?.count) throw new ConcurrentChange();
}

/** By PostgreSQL’s clock, behind the locks. */
async function readTime(client: pg.Client): Promise<Date> {
  const { rows } = await client.query<{ now: Date }>('select clock_timestamp() as now');
  return rows[0]?.now as Date;
}
