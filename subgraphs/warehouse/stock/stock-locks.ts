import type { Redis } from 'ioredis';
import { type Lock, Redlock } from 'redlock';
import { tryAgain } from '../../shared/errors.js';
import type { Logger } from '../../shared/logger.js';

// Longer than any statement or idle transaction lasts (4 s), so that a lock outlives its work.
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

export function createStockLocks(nodes: Redis[], logger: Logger): StockLocks {
  const redlock = new Redlock(nodes, {
    retryDelay: retryDelayMs,
    retryJitter: retryJitterMs,
    retryCount: Math.ceil(waitMaxMs / (retryDelayMs + retryJitterMs / 2)),
  });
  redlock.on('error', () => {}); // told by what acquire throws

  async function acquire(skus: readonly string[]): Promise<Lock> {
    const keys = [...new Set(skus)].sort().map((sku) => `lock:sku:${sku}`);
    try {
      return await redlock.acquire(keys, lockTtlMs);
    } catch (error) {
      logger.warn({ reason: (error as Error).message, keys: keys.length }, 'no lock');
      throw tryAgain('Many are buying this at the same moment; nothing was reserved yet.');
    }
  }

  return {
    async withLock(skus, work) {
      const lock = await acquire(skus);
      try {
        return await work();
      } finally {
        // A lock that cannot be released lapses by itself; what was committed stands.
        await redlock.release(lock, { retryCount: 0 }).catch(() => {});
      }
    },
  };
}
