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

// Longer than a transaction may last (4.5 s). A lock that lapses all the same, while its work waited
// for a connection or ran again, costs speed and nothing else.
const lockTtlMs = 5000;
/**
 * How long a command may take, of the connections to the nodes. An attempt at a lock is one to all nodes,
 * and one more when it fails; two attempts with nodes that hang take less than a second.
 */
export const lockCommandMaxMs = 200;
const retryMs = 2;
// How long a sign that somebody waits stands, and at which of the attempts it is renewed.
const wantedTtlMs = 50;
const attemptsPerSign = 8;
// How long a node is waited for where the answers of the others are enough.
const nodeMaxMs = 20;

/**
 * Redlock over keys: it keeps transactions of several processes from queueing on the same rows in
 * PostgreSQL, where each would hold a connection. It is not what keeps the stock right; the rows'
 * own locks are.
 */
export interface StockLocks {
  /**
   * Locks all of the keys at once; waits while another process has one of them.
   *
   * @param isNeeded asked before each further attempt
   * @returns null when the lock is not needed any more
   * @throws `TRY_AGAIN` when so few nodes answer that nobody can have the lock
   */
  lock(keys: readonly string[], isNeeded: () => boolean): Promise<StockLock | null>;
}
export interface StockLock {
  /** @returns whether another process waits for one of the keys */
  release(): Promise<boolean>;
}

/** @param nodes one, or three independent ones; of one Redis database number, which redlock selects */
export function createStockLocks(nodes: readonly Redis[], logger: Logger): StockLocks {
  const redlock = new Redlock(nodes, { db: nodes[0]?.options.db ?? 0, retryCount: 0 });
  const wanted = createWantedSigns(nodes);

  async function acquire(keys: readonly string[]): Promise<Lock | null> {
    const locked = () => redlock.acquire(keys.map(lockKey), lockTtlMs);
    try {
      return await locked();
    } catch (error) {
      if (await isTaken(error)) return null;
    }
    try {
      return await locked(); // one answer may go missing
    } catch (error) {
      if (await isTaken(error)) return null;
      logger.warn({ reason: (error as Error).message }, 'the nodes of the lock do not answer');
      throw tryAgain('Nothing can be reserved at this moment; ask again.');
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
      const held = lock;
      return {
        async release() {
          const others = wanted.seen(keys);
          // A lock that cannot be released lapses by itself; what was committed stands.
          await redlock.release(held, { retryCount: 0 }).catch(() => {});
          return others;
        },
      };
    },
  };
}

export const lockKey = (key: string) => `lock:sku:${key}`;
const wantedKey = (key: string) => `wanted:sku:${key}`;

/** Signs, on every node that is there, by which processes see that others wait for a key. */
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
    /** What the first node to answer says. */
    async seen(keys: readonly string[]): Promise<boolean> {
      const looks = ready().map(async (node) => {
        const signs = await node.mget(keys.map(wantedKey));
        return signs.some((sign) => sign !== null && sign !== processId);
      });
      return withTimeout(nodeMaxMs, Promise.any(looks), false);
    },
  };
}

/** Whether others have the lock, or so many nodes are away that nobody can have it. */
async function isTaken(error: unknown): Promise<boolean> {
  if (!(error instanceof ExecutionError)) return false;
  const attempt = error.attempts.at(-1);
  if (!attempt) return false;
  // A node that hangs keeps its vote back; the others are enough to see that somebody has the lock.
  const stats = await withTimeout<ExecutionStats | null>(nodeMaxMs, attempt, null);
  if (!stats) return true;
  const reasons = [...stats.votesAgainst.values()];
  const away = reasons.filter((reason) => !(reason instanceof ResourceLockedError)).length;
  return stats.membershipSize - away >= stats.quorumSize;
}
