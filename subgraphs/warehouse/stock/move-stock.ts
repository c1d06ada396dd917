import type { EntityManager } from '@mikro-orm/postgresql';
import type { StockKey } from '../../contracts/stock-key.js';
import {
  isCommitLost,
  isDeadlock,
  isLockTimeout,
  isUniqueViolation,
} from '../../shared/database/errors.js';
import { sql } from '../../shared/database/sql.js';
import type { Once } from '../../shared/database/transact.js';
import { tryAgain } from '../../shared/errors.js';
import { failPoint } from '../../shared/resilience/fail-point.js';
import type { Signals, StockChanged } from '../signals/stock-signals.js';
import { Ledger } from './ledger.js';
import { isMovementStored, wasCommitted } from './lost-commit.js';
import type { LevelChoice } from './read-levels.js';
import { ConcurrentChange, NotCommitted } from './stock-errors.js';
import type { StockStore } from './stock-store.js';

export type OpenLedger = (keys: readonly StockKey[], choice: LevelChoice) => Promise<Ledger>;
/**
 * Passes on the id of the transaction (`pg_current_xact_id()`), read together with other columns.
 */
export type SetTransactionId = (id: string | undefined) => void;
export type StockWork<T> = (
  em: EntityManager,
  openLedger: OpenLedger,
  setTransactionId: SetTransactionId,
) => Promise<T>;

interface MoveOptions<T> {
  /** what to publish besides the ledger’s changes */
  signalsOf?(value: T): Signals;
  /** how many lock timeouts it may have; a batch has one, and is then split (`runBatchIsolating`) */
  readonly lockTimeoutsMax?: number;
  /** the idempotency key of the request */
  readonly once?: Once<T> | undefined;
  /**
   * Where the work wrote no movement: whether its rows are stored, which proves that a transaction whose COMMIT was not
   * answered was this one. Null: without a movement it writes nothing that may not be written again
   */
  readonly isStored: ((em: EntityManager, value: T) => Promise<boolean>) | null;
}

const attemptsMax = 5;

/**
 * Runs one transaction that moves stock. `work` locks its reservations or transfer first, then
 * opens the ledger at most once; `moveStock` writes the ledger, commits, and publishes the changes.
 * After a deadlock, a concurrent insert of the same row or a COMMIT that did not happen, all of it
 * runs again: `work` must be safe to repeat.
 *
 * @throws `TRY_AGAIN` after `attemptsMax` concurrent changes; nothing was done then
 * @throws OutcomeUnknown when the answer to COMMIT was lost and the database did not come back
 */
export async function moveStock<T>(
  store: StockStore,
  work: StockWork<T>,
  { signalsOf, lockTimeoutsMax = attemptsMax, once, isStored }: MoveOptions<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      const { value, changed } = await commitOnce(store, work, { once, isStored });
      const more = signalsOf?.(value) ?? {};
      if (more.armed?.length) failPoint('reservation committed, timer not set');
      if (more.disarmed?.length) failPoint('reservation ended, nothing published');
      store.signals.send({ ...more, changed: [...changed, ...(more.changed ?? [])] });
      return value;
    } catch (error) {
      if (isLockTimeout(error) && attempt < lockTimeoutsMax) continue;
      const isRepeatable =
        isDeadlock(error) || error instanceof NotCommitted || error instanceof ConcurrentChange;
      if (!isRepeatable && !isUniqueViolation(error)) throw error;
      if (attempt < attemptsMax) continue;
      throw isRepeatable
        ? tryAgain('This stock is being changed by others. Please try again.')
        : error;
    }
  }
}

async function commitOnce<T>(
  { orm }: StockStore,
  work: StockWork<T>,
  { once, isStored }: Pick<MoveOptions<T>, 'once' | 'isStored'>,
) {
  const em = orm.em.fork();
  let ledger: Ledger | undefined;
  let changed: StockChanged[] = [];
  let transactionId: string | null | undefined;
  let value: T;
  await em.begin();
  try {
    const openLedger: OpenLedger = async (keys, choice) => {
      ledger = await Ledger.open(em, keys, choice);
      return ledger;
    };
    await once?.begin(em);
    value = await work(em, openLedger, (id) => {
      transactionId = id;
    });
    changed = (await ledger?.write(em)) ?? [];
    await once?.end(em, value);
    transactionId ??= await readTransactionId(em);
  } catch (error) {
    await em.rollback().catch(() => {});
    throw error;
  }
  try {
    await em.commit();
  } catch (error) {
    await em.rollback().catch(() => {});
    if (!isCommitLost(error)) throw error;
    const after = orm.em.fork();
    const [movement] = ledger?.movements ?? [];
    const isProven = async () =>
      movement ? isMovementStored(after, movement) : ((await isStored?.(after, value)) ?? false);
    const isCommitted = transactionId && (await wasCommitted(after, transactionId, isProven));
    if (!isCommitted) throw new NotCommitted();
  }
  return { value, changed };
}

/** @returns null when nothing was written or locked, so that there is nothing to commit */
async function readTransactionId(em: EntityManager): Promise<string | null> {
  const [row] = await sql<{ id: string | null }>(
    em,
    'select pg_current_xact_id_if_assigned()::text as id',
  );
  return row?.id ?? null;
}
