import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import {
  ExecutionError,
  type ExecutionStats,
  type Lock,
  Redlock,
  ResourceLockedError,
} from 'redlock';
import type { Logger } from '../../../shared/observability/logger.js';
import { withTimeout } from '../../../shared/resilience/with-timeout.js';
import {
  doubtWrites,
  isReply,
  proveWrites,
  takesWrites,
} from '../../../shared/runtime/redis-probe.js';

// Shorter than a request waits for its batch (`waitMaxMs`), so that a lock which a process left when it died refuses
// nothing. One that expires before its work ends costs speed only.
const lockTtlMs = 600;
/**
 * Timeout of a command on the connections to the nodes. An attempt to lock sends one command to each node, and when
 * it fails one more, then a probe: with nodes that hang it takes twice as long and `proofMaxMs`, and is not repeated
 * until they are written to again.
 */
export const lockCommandMaxMs = 200;
const proofMaxMs = 50;
// Attempts of a batch that fail by late answers; after them, or earlier if its time is over, it goes on without a lock.
const lateAttemptsMax = 2;
const retryMs = 2;
// The lifetime of the sign that a process waits, and at how many attempts it is renewed.
const wantedTtlMs = 50;
const attemptsPerSign = 8;
// How long to wait for a node when the answers of the others may be enough.
const nodeMaxMs = 20;

/**
 * Redlock over keys. It keeps transactions of several processes from queueing on the same rows in
 * PostgreSQL, where each would occupy a connection. Correctness depends on the row locks alone. They
 * are always in one of these modes:
 *
 * - LOCKING: a batch has the locks of its keys. → ALONE when too few nodes take writes for anyone to
 *   get a lock: by their probes, or by an attempt that failed for that reason. An answer that is late is none: the
 *   node is probed at once, and the attempt repeated if there is time.
 * - ALONE: there are no locks. The batches of this process run one after the other, so that no more
 *   than one of each process waits in PostgreSQL, beside those that have a lock already. → LOCKING when probes were
 *   written again.
 */
export interface StockLocks {
  /**
   * Locks all of the keys together; waits while another process has one of them. In ALONE it waits
   * for the other batches of this process instead.
   *
   * @param isNeeded called before each further attempt
   * @param areWaiting whether requests wait for the keys: after a late answer they go on without a lock
   * @returns null when the lock is not needed any more
   */
  lock(
    keys: readonly string[],
    isNeeded: () => boolean,
    areWaiting?: () => boolean,
  ): Promise<StockLock | null>;
  isAlone(): boolean;
}
export interface StockLock {
  /** @returns whether another process waits for one of the keys */
  release(): Promise<boolean>;
}
export const withoutLock: StockLock = { release: async () => false };

/**
 * @param nodes one, or three independent ones, with the same database number, which redlock selects
 */
export function createStockLocks(nodes: readonly Redis[], logger: Logger): StockLocks {
  const redlock = new Redlock(nodes, { db: nodes[0]?.options.db ?? 0, retryCount: 0 });
  const wanted = createWantedSigns(nodes);

  const quorum = Math.floor(nodes.length / 2) + 1;
  const isAlone = () => nodes.filter(takesWrites).length < quorum;
  const takeTurn = createTurns();
  let wasAlone = false;

  async function acquire(keys: readonly string[]): Promise<Lock | 'taken' | 'late' | 'noQuorum'> {
    try {
      return await redlock.acquire(keys.map(lockKey), lockTtlMs);
    } catch (error) {
      const missing = await findMissing(error, nodes);
      if (missing.size === 0) return 'taken';
      await Promise.all([...missing].map(([node, reason]) => proveOrDoubt(node, reason)));
      return isAlone() ? 'noQuorum' : 'late';
    }
  }

  async function proveOrDoubt(node: Redis, reason: unknown): Promise<void> {
    if (isReply(reason)) doubtWrites(node);
    else await proveWrites(node, proofMaxMs);
  }

  function logMode(alone: boolean): void {
    if (alone === wasAlone) return;
    wasAlone = alone;
    if (alone) logger.warn('no quorum of lock nodes; reservations run one batch at a time');
    else logger.info('lock nodes answered again');
  }

  return {
    isAlone,
    async lock(keys, isNeeded, areWaiting = isNeeded) {
      let late = 0;
      for (let attempt = 0; ; attempt++) {
        const lock = isAlone() ? 'noQuorum' : await acquire(keys);
        if (lock === 'late') {
          late += 1;
          if (late < lateAttemptsMax && isNeeded()) continue;
          return areWaiting() ? takeTurn() : null;
        }
        if (lock !== 'taken') logMode(lock === 'noQuorum');
        if (lock === 'noQuorum') return takeTurn();
        if (lock !== 'taken') {
          return {
            async release() {
              const isWanted = wanted.isShown(keys);
              // A lock that cannot be released expires; what was committed is not affected.
              await redlock.release(lock, { retryCount: 0 }).catch(() => {});
              return isWanted;
            },
          };
        }
        if (attempt % attemptsPerSign === 0) wanted.show(keys);
        if (!isNeeded()) return null;
        await new Promise((resolve) => setTimeout(resolve, retryMs * (0.75 + Math.random() / 2)));
      }
    },
  };
}

/** Gives turns to the batches of this process, first come, first served. A release ends the turn. */
function createTurns(): () => Promise<StockLock> {
  let last = Promise.resolve();
  return async () => {
    const before = last;
    const { promise, resolve } = Promise.withResolvers<void>();
    last = promise;
    await before;
    return {
      async release() {
        resolve();
        return false;
      },
    };
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

/**
 * The nodes that did not take part in an attempt that failed, with the reasons, if they are too many for anyone to get
 * the lock; none while another process has it.
 */
async function findMissing(
  error: unknown,
  nodes: readonly Redis[],
): Promise<ReadonlyMap<Redis, unknown>> {
  const attempt = error instanceof ExecutionError ? error.attempts.at(-1) : undefined;
  if (!attempt) return new Map(nodes.map((node) => [node, error]));
  // The vote of a node that hangs is missing; the others show that another process has the lock.
  const stats = await withTimeout<ExecutionStats | null>(nodeMaxMs, attempt, null);
  if (!stats) return new Map();
  const missing = [...stats.votesAgainst].filter(
    ([, reason]) => !(reason instanceof ResourceLockedError),
  );
  if (stats.membershipSize - missing.length >= stats.quorumSize) return new Map();
  return new Map(missing.map(([client, reason]) => [client as Redis, reason]));
}
