import type { EntityManager } from '@mikro-orm/postgresql';
import type { StockKey } from '../../contracts/stock-key.js';
import {
  isDatabaseUnavailable,
  isDeadlock,
  isLockTimeout,
  isUniqueViolation,
} from '../../shared/database/errors.js';
import { sql } from '../../shared/database/sql.js';
import { OutcomeUnknown, tryAgain } from '../../shared/errors.js';
import { failPoint } from '../../shared/resilience/fail-point.js';
import type { Signals, StockChanged } from '../signals/stock-signals.js';
import { Ledger } from './ledger.js';
import { ConcurrentChange, NotCommitted } from './stock-errors.js';
import type { StockStore } from './stock-store.js';

export type OpenLedger = (keys: readonly StockKey[]) => Promise<Ledger>;
/** Tells the id of the transaction (`pg_current_xact_id()`), read along with something else. */
export type NoteTransaction = (id: string | undefined) => void;
export type StockWork<T> = (
  em: EntityManager,
  openLedger: OpenLedger,
  noteId: NoteTransaction,
) => Promise<T>;

const attemptsMax = 5;
const lookUpMaxMs = 5000;
const lookUpEveryMs = 100;

/**
 * One transaction that moves stock. `work` locks its reservations first, then opens the ledger at
 * most once; what it moved is written and committed, and only then told. A deadlock, a row that
 * another transaction made first, or a COMMIT that did not happen, makes the whole of it run again;
 * so work that moves nothing must be safe to repeat.
 *
 * @param signalsOf what else is to be told, from the value of `work`: timers, changes of its own
 * @param lockWaitsMax how often it may wait in vain for rows that somebody has; a batch waits once and
 *   is taken apart then (`runBatchIsolating`)
 * @throws `TRY_AGAIN` when others are in the way again and again; nothing was done then
 * @throws OutcomeUnknown when the answer to COMMIT was lost and the database does not come back
 */
export async function moveStock<T>(
  store: StockStore,
  work: StockWork<T>,
  signalsOf: (value: T) => Signals = () => ({}),
  lockWaitsMax = attemptsMax,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      const { value, changed } = await commitOnce(store, work);
      const more = signalsOf(value);
      if (more.armed?.length) failPoint('hold committed, timer not set');
      if (more.disarmed?.length) failPoint('hold ended, nobody told');
      store.signals.send({ ...more, changed: [...changed, ...(more.changed ?? [])] });
      return value;
    } catch (error) {
      if (isLockTimeout(error) && attempt < lockWaitsMax) continue;
      const isRepeatable =
        isDeadlock(error) || error instanceof NotCommitted || error instanceof ConcurrentChange;
      if (!isRepeatable && !isUniqueViolation(error)) throw error;
      if (attempt < attemptsMax) continue;
      throw isRepeatable
        ? tryAgain('Many are at this stock at the same moment; ask again.')
        : error;
    }
  }
}

async function commitOnce<T>({ orm }: StockStore, work: StockWork<T>) {
  const em = orm.em.fork();
  let ledger: Ledger | undefined;
  let changed: StockChanged[] = [];
  let id: string | null | undefined;
  let value: T;
  await em.begin();
  try {
    const openLedger = async (keys: readonly StockKey[]) => {
      ledger = await Ledger.open(em, keys);
      return ledger;
    };
    value = await work(em, openLedger, (noted) => {
      id = noted;
    });
    changed = (await ledger?.write(em)) ?? [];
    id ??= await readTransactionId(em);
  } catch (error) {
    await em.rollback().catch(() => {});
    throw error;
  }
  try {
    await em.commit();
  } catch (error) {
    await em.rollback().catch(() => {});
    if (!isDatabaseUnavailable(error)) throw error;
    if (!id || !(await wasCommitted(orm.em.fork(), id, ledger))) throw new NotCommitted();
  }
  return { value, changed };
}

/** Null where nothing was written or locked: then there is nothing to commit either. */
async function readTransactionId(em: EntityManager): Promise<string | null> {
  const [row] = await sql<{ id: string | null }>(
    em,
    'select pg_current_xact_id_if_assigned()::text as id',
  );
  return row?.id ?? null;
}

/** Looks up what became of a transaction whose COMMIT was not answered. */
async function wasCommitted(
  em: EntityManager,
  id: string,
  ledger: Ledger | undefined,
): Promise<boolean> {
  const deadlineMs = Date.now() + lookUpMaxMs;
  for (;;) {
    try {
      const [row] = await sql<{ status: string }>(em, 'select pg_xact_status($1::xid8) as status', [
        id,
      ]);
      // Its connection may still be at work, though it is lost to us.
      if (row?.status !== 'in progress') return row?.status === 'committed' && isThere(em, ledger);
    } catch (error) {
      if (!isDatabaseUnavailable(error)) throw error;
    }
    if (Date.now() > deadlineMs) throw new OutcomeUnknown('the answer to COMMIT was lost');
    await new Promise((resolve) => setTimeout(resolve, lookUpEveryMs));
  }
}

/** A standby that took over meanwhile may have given the id to another transaction. */
async function isThere(em: EntityManager, ledger: Ledger | undefined): Promise<boolean> {
  const [movement] = ledger?.movements ?? [];
  if (!movement) return true;
  const rows = await sql(em, 'select 1 from stock_movement where id = $1', [movement.id]);
  return rows.length > 0;
}
