import { type EntityManager, sql } from '../../shared/database.js';
import { isDatabaseAway, isDeadlock, isUniqueViolation } from '../../shared/database-errors.js';
import { DomainError, OutcomeUnknown, tryAgain } from '../../shared/errors.js';
import { failPoint } from '../../shared/fail-point.js';
import type { StockStore } from './engine.js';
import { Ledger, Overtaken } from './ledger.js';
import type { StockKey } from './stock-item.js';
import type { Signals, StockChanged } from './stock-signals.js';

export type OpenLedger = (keys: readonly StockKey[]) => Promise<Ledger>;
export type StockWork<T> = (em: EntityManager, openLedger: OpenLedger) => Promise<T>;

const attemptsMax = 5;
const lookUpMaxMs = 5000;
const lookUpEveryMs = 200;

/** The connection was lost at COMMIT, and nothing stands in the database. */
class NotCommitted extends Error {}

/**
 * One transaction that moves stock. `work` locks its reservations first, then opens the ledger at
 * most once; what it moved is written and committed, and only then told. A deadlock, a row that
 * another transaction made first, or a COMMIT that did not happen, makes the whole of it run again;
 * so work that moves nothing must be safe to repeat.
 *
 * @param signalsOf what else is to be told, from the value of `work`: timers, changes of its own
 * @throws `TRY_AGAIN` when others are in the way again and again; nothing was done then
 * @throws OutcomeUnknown when the answer to COMMIT was lost and the database does not come back
 */
export async function moveStock<T>(
  store: StockStore,
  work: StockWork<T>,
  signalsOf: (value: T) => Signals = () => ({}),
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
      const again =
        isDeadlock(error) || error instanceof NotCommitted || error instanceof Overtaken;
      if (!again && !isUniqueViolation(error)) throw error;
      if (attempt < attemptsMax) continue;
      throw again ? tryAgain('Many are at this stock at the same moment; ask again.') : error;
    }
  }
}

async function commitOnce<T>({ orm }: StockStore, work: StockWork<T>) {
  const em = orm.em.fork();
  let ledger: Ledger | undefined;
  let changed: StockChanged[] = [];
  let value: T;
  await em.begin();
  try {
    value = await work(em, async (keys) => {
      ledger = await Ledger.open(em, keys);
      return ledger;
    });
    changed = (await ledger?.write(em)) ?? [];
  } catch (error) {
    await em.rollback().catch(() => {});
    throw error;
  }
  try {
    await em.commit();
  } catch (error) {
    await em.rollback().catch(() => {});
    if (!isDatabaseAway(error)) throw error;
    if (!(await wasCommitted(orm.em.fork(), ledger))) throw new NotCommitted();
  }
  return { value, changed };
}

/** Looks up what became of a transaction whose COMMIT was not answered. */
async function wasCommitted(em: EntityManager, ledger: Ledger | undefined): Promise<boolean> {
  const [movement] = ledger?.movements ?? [];
  if (!movement) return false;
  const deadlineMs = Date.now() + lookUpMaxMs;
  for (;;) {
    try {
      // The lost connection's transaction may still be at work; who gets its row lock knows it ended.
      await sql(em, 'select 1 from stock_level where id = $1 for update', [movement.levelId]);
      const rows = await sql(em, 'select 1 from stock_movement where id = $1', [movement.id]);
      return rows.length > 0;
    } catch (error) {
      if (!isDatabaseAway(error)) throw error;
      if (Date.now() > deadlineMs) throw new OutcomeUnknown('the answer to COMMIT was lost');
    }
    await new Promise((resolve) => setTimeout(resolve, lookUpEveryMs));
  }
}

/** Whether a failure to move stock would be the same for every member of a batch. */
export const failsForAll = (error: unknown) =>
  isDatabaseAway(error) || error instanceof OutcomeUnknown || error instanceof DomainError;
