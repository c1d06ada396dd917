import type { Redis } from 'ioredis';
import { ExecutionError, type Lock, Redlock, ResourceLockedError } from 'redlock';
import { tryAgain } from '../../shared/errors.js';
import type { Logger } from '../../shared/logger.js';

// Longer than a transaction may last (4.5 s). A lock that lapses all the same, while its work waited
// for a connection or ran again, costs speed and nothing else.
const lockTtlMs = 5000;
const retryDelayMs = 20;
const retryJitterMs = 20;
const waitMaxMs = 8000;

/**
 * Redlock over skus: it keeps transactions from queueing on the same rows in PostgreSQL, where each
 * would hold a connection. It is not what keeps the stock right; the rows' own locks are.
 */
export interface StockLocks {
  /**
   * Runs `work` while the skus are locked.
   *
   * @throws `TRY_AGAIN` when the lock cannot be had; nothing was done then
   */
  withLock<T>(skus: readonly string[], work: () => Promise<T>): Promise<T>;
}

/** @param nodes of one Redis database number, which redlock selects itself */
export function createStockLocks(nodes: Redis[], logger: Logger): StockLocks {
  const redlock = new Redlock(nodes, { db: nodes[0]?.options.db ?? 0, retryCount: 0 });
  redlock.on('error', () => {}); // told by what acquire throws

  const line = createLine();

  async function acquire(skus: readonly string[], deadlineMs: number): Promise<Lock> {
    const keys = skus.map((sku) => `lock:sku:${sku}`);
    for (;;) {
      try {
        return await redlock.acquire(keys, lockTtlMs);
      } catch (error) {
        if (!(await isTaken(error))) {
          logger.warn({ reason: (error as Error).message }, 'the nodes of the lock do not answer');
          throw tryAgain('Nothing can be reserved at this moment; ask again.');
        }
      }
      if (Date.now() > deadlineMs) throw tooMany();
      const delayMs = retryDelayMs + Math.random() * retryJitterMs;
      await new Promise((resolve) => setTimeout(resolve, delayMs));
    }
  }

  return {
    withLock(skus, work) {
      const distinct = [...new Set(skus)].sort();
      const deadlineMs = Date.now() + waitMaxMs;
      return line.take(distinct, deadlineMs, async () => {
        const lock = await acquire(distinct, deadlineMs);
        try {
          return await work();
        } finally {
          // A lock that cannot be released lapses by itself; what was committed stands.
          await redlock.release(lock, { retryCount: 0 }).catch(() => {});
        }
      });
    },
  };
}

const tooMany = () =>
  tryAgain('Many are buying this at the same moment; nothing was reserved yet.');

/**
 * Within this process the skus are taken first come, first served, so that one of its requests asks
 * Redis for a lock and not all that wait for it.
 */
function createLine() {
  const tails = new Map<string, Promise<void>>();

  function leave(skus: readonly string[], mine: Promise<void>, done: () => void): void {
    for (const sku of skus) if (tails.get(sku) === mine) tails.delete(sku);
    done();
  }

  return {
    /** @throws `TRY_AGAIN` when the turn does not come before the deadline */
    async take<T>(skus: readonly string[], deadlineMs: number, work: () => Promise<T>): Promise<T> {
      // All places are taken in one go: no two requests can wait for each other.
      const before = Promise.all(skus.map((sku) => tails.get(sku)));
      let done = () => {};
      const mine = new Promise<void>((resolve) => {
        done = resolve;
      });
      for (const sku of skus) tails.set(sku, mine);
      if (!(await inTime(before, deadlineMs))) {
        void before.then(() => leave(skus, mine, done));
        throw tooMany();
      }
      try {
        return await work();
      } finally {
        leave(skus, mine, done);
      }
    },
  };
}

async function inTime(promise: Promise<unknown>, deadlineMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, Math.max(0, deadlineMs - Date.now()), false);
  });
  const result = await Promise.race([promise.then(() => true), late]);
  clearTimeout(timer);
  return result;
}

/** Whether others have the lock, or so many nodes are away that nobody can have it. */
async function isTaken(error: unknown): Promise<boolean> {
  if (!(error instanceof ExecutionError)) return false;
  const stats = await error.attempts.at(-1);
  if (!stats) return false;
  const reasons = [...stats.votesAgainst.values()];
  const away = reasons.filter((reason) => !(reason instanceof ResourceLockedError)).length;
  return stats.membershipSize - away >= stats.quorumSize;
}
