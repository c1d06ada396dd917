import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import {
  ExecutionError,
  type ExecutionStats,
  type Lock,
  Redlock,
  ResourceLockedError,
} from 'redlock';
import { tryAgain } from '../../../shared/errors.js';
import type { Logger } from '../../../shared/observability/logger.js';
import { withTimeout } from '../../../shared/resilience/with-timeout.js';

// Longer than a transaction may last (4.5 s). If a lock expires before its work ends, because the
// work waited for a connection or ran again, that costs speed only.
const lockTtlMs = 5000;
/**
 * Timeout of a command on the connections to the nodes. An attempt to lock sends one command to
 * each node, and one more when it fails; two attempts with nodes that hang take less than a second.
 */
export const lockCommandMaxMs = 200;
const retryMs = 2;
// The lifetime of the sign that a process waits, and at how many attempts it is renewed.
const wantedTtlMs = 50;
const attemptsPerSign = 8;
// How long to wait for a node when the answers of the others may be enough.
const nodeMaxMs = 20;

/**
 * Redlock over keys. It keeps transactions of several processes from queueing on the same rows in
 * PostgreSQL, where each would occupy a connection. Correctness depends on the row locks alone.
 */
export interface StockLocks {
  /**
   * Locks all of the keys together; waits while another process has one of them.
   *
   * @param isNeeded called before each further attempt
   * @returns null when the lock is not needed any more
   * @throws `TRY_AGAIN` when too few nodes answer for anyone to get the lock
   */
  lock(keys: readonly string[], isNeeded: () => boolean): Promise<StockLock | null>;
}
export interface StockLock {
  /** @returns whether another process waits for one of the keys */
  release(): Promise<boolean>;
}

/**
 * @param nodes one, or three independent ones, with the same database number, which redlock selects
 */
export function createStockLocks(nodes: readonly Redis[], logger: Logger): StockLocks {
  const redlock = new Redlock(nodes, { db: nodes[0]?.options.db ?? 0, retryCount: 0 });
  const wanted = createWantedSigns(nodes);

  async function acquire(keys: readonly string[]): Promise<Lock | null> {
    const tryLock = () => redlock.acquire(keys.map(lockKey), lockTtlMs);
    try {
      return await tryLock();
    } catch (error) {
      if (await isTaken(error)) return null;
    }
    try {
      return await tryLock(); // one answer may have been lost
    } catch (error) {
      if (await isTaken(error)) return null;
      logger.warn({ reason: (error as Error).message }, 'lock nodes did not answer');
      throw tryAgain('Nothing can be reserved at the moment. Please try again.');
    }
  }

  return {
    async lock(keys, isNeeded) {
      let lock = await acquire(keys);
      for (let attempt = 0; !lock; attempt++) {
        if (attempt % attemptsPerSign === 0) wanted.show(keys);
        if (!isNeeded()) return null;
        await new Promise((resolve) => setTimeout(resolve, retryMs * (0.75 + Math.random() / 2)));
        lock = await acquire(keys);
      }
      const acquired = lock;
      return {
        async release() {
          const isWanted = wanted.isShown(keys);
          // A lock that cannot be released expires; what was committed is not affected.
          await redlock.release(acquired, { retryCount: 0 }).catch(() => {});
          return isWanted;
        },
      };
    },
  };
}

export const lockKey = (key: string) => `lock:sku:${key}`;
const wantedKey = (key: string) => `wanted:sku:${key}`;

/** Keys, on every node that is ready, by which a process sees that another waits for a lock. */
function createWantedSigns(nodes: readonly Redis[]) {
  const processId = randomUUID();
  const ready = () => nodes.filter(({ status }) => status === 'ready');
  return {
    show(keys: readonly string[]): void {
      const signs = keys.map((key) => ['set', wantedKey(key), processId, 'PX', wantedTtlMs]);
      for (const node of ready()) {
        node
          .pipeline(signs)
          .exec()
          .catch(() => {});
      }
    },
    /** Whether another process waits for one of the keys, by the first node that answers. */
    async isShown(keys: readonly string[]): Promise<boolean> {
      const answers = ready().map(async (node) => {
        const signs = await node.mget(keys.map(wantedKey));
        return signs.some((sign) => sign !== null && sign !== processId);
      });
      return withTimeout(nodeMaxMs, Promise.any(answers), false);
    },
  };
}

/** Whether another process has the lock; not so when too few nodes answer for anyone to get it. */
async function isTaken(error: unknown): Promise<boolean> {
  if (!(error instanceof ExecutionError)) return false;
  const attempt = error.attempts.at(-1);
  if (!attempt) return false;
  // The vote of a node that hangs is missing; the others show that another process has the lock.
  const stats = await withTimeout<ExecutionStats | null>(nodeMaxMs, attempt, null);
  if (!stats) return true;
  const reasons = [...stats.votesAgainst.values()];
  const away = reasons.filter((reason) => !(reason instanceof ResourceLockedError)).length;
  return stats.membershipSize - away >= stats.quorumSize;
}
