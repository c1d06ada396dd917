import type { EntityManager } from '@mikro-orm/postgresql';
import { OutcomeUnknown } from '../errors.js';
import { isCommitLost, isDatabaseUnavailable, isNotConnected, isTooSlow } from './errors.js';

/** The idempotency key of a request, for the transaction of its change. */
export interface Once<T> {
  /**
   * Claims the key, as the first statement of the transaction.
   *
   * @throws RequestRepeated with the outcome, if the request was processed before
   */
  begin(tx: EntityManager): Promise<void>;
  /** Stores the outcome under the key. */
  end(tx: EntityManager, outcome: T): Promise<void>;
}

const lookUpMaxMs = 5000;
const lookUpEveryMs = 100;

/**
 * Runs `work` in one transaction. All transactions of mutations run here or in `moveStock`, so that a lost
 * answer to COMMIT is never taken for a failure (docs/adr/0026-lost-commits.md).
 *
 * @param once the idempotency key of the request. After a lost answer to COMMIT the transaction is then run
 *   again, and finds out by the key
 * @throws OutcomeUnknown when the answer to COMMIT was lost, without a key or for longer than 5 s
 */
export async function transact<T>(
  em: EntityManager,
  work: (tx: EntityManager) => Promise<T>,
  once?: Once<T>,
): Promise<T> {
  try {
    return await commitOnce(em.fork(), work, once);
  } catch (error) {
    if (!once || !(error instanceof OutcomeUnknown)) throw error;
    return commitAgain(em, work, once, error);
  }
}

/** While the lost transaction still runs, the claim of its key makes this one wait. */
async function commitAgain<T>(
  em: EntityManager,
  work: (tx: EntityManager) => Promise<T>,
  once: Once<T>,
  lost: OutcomeUnknown,
): Promise<T> {
  const deadlineMs = Date.now() + lookUpMaxMs;
  for (;;) {
    try {
      return await commitOnce(em.fork(), work, once);
    } catch (error) {
      const isAway = error instanceof OutcomeUnknown || isDatabaseUnavailable(error);
      if (!isAway && !isTooSlow(error)) throw error;
      if (Date.now() > deadlineMs) throw lost;
    }
    await new Promise((resolve) => setTimeout(resolve, lookUpEveryMs));
  }
}

async function commitOnce<T>(
  tx: EntityManager,
  work: (tx: EntityManager) => Promise<T>,
  once: Once<T> | undefined,
): Promise<T> {
  await tx.begin();
  let value: T;
  try {
    await once?.begin(tx);
    value = await work(tx);
    await tx.flush();
    await once?.end(tx, value);
  } catch (error) {
    await tx.rollback().catch(() => {});
    throw error;
  }
  try {
    await tx.commit();
  } catch (error) {
    await tx.rollback().catch(() => {});
    if (!isCommitLost(error)) throw error;
    throw new OutcomeUnknown('the answer to COMMIT was lost', { cause: error });
  }
  return value;
}

/**
 * Runs one statement, which commits by itself unless `em` is in a transaction.
 *
 * @throws OutcomeUnknown when the connection was lost before it was answered
 */
export async function runStatement<T>(em: EntityManager, statement: () => Promise<T>): Promise<T> {
  try {
    return await statement();
  } catch (error) {
    const isUndone = em.isInTransaction() || isNotConnected(error);
    if (isUndone || !isDatabaseUnavailable(error)) throw error;
    throw new OutcomeUnknown('the answer to a statement was lost', { cause: error });
  }
}
