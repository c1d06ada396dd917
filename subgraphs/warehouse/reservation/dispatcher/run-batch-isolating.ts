import { bisect } from '../../../shared/batching/bisect.js';
import { isLockTimeout } from '../../../shared/database/errors.js';
import { failsForAll } from '../../stock/stock-errors.js';

export interface IsolatingOptions<T> {
  /** idempotent: a member may be in more than one call */
  work(members: readonly T[]): Promise<void>;
  /** the members whose rows other transactions have locked at this moment */
  findBlocked(members: readonly T[]): Promise<readonly T[]>;
  /** called with what failed: one member, or several that fail for the same reason */
  failed(members: readonly T[], error: unknown): void;
  /** how many lock timeouts a member may have before it fails */
  readonly lockTimeoutsMax: number;
}

/**
 * Runs a batch so that no member delays or fails another. After an error the batch is split in
 * halves (`bisect`). After a lock timeout it is not, as each half would wait again: it runs without
 * the members whose rows are locked, and those run by themselves afterwards.
 */
export function runBatchIsolating<T>(
  batch: readonly T[],
  options: IsolatingOptions<T>,
  attempt = 1,
): Promise<void> {
  const { work, findBlocked, failed, lockTimeoutsMax } = options;
  const isForAll = (error: unknown) => failsForAll(error) || isLockTimeout(error);
  return bisect(batch, work, isForAll, async (members, error) => {
    if (!isLockTimeout(error)) return failed(members, error);
    if (attempt > lockTimeoutsMax) return failed(members, error);
    const blocked = new Set(await findBlocked(members).catch(() => members));
    const free = members.filter((member) => !blocked.has(member));
    if (free.length > 0) await runBatchIsolating(free, options, attempt + 1);
    if (blocked.size === 0) return;
    if (attempt < lockTimeoutsMax) await runBatchIsolating([...blocked], options, attempt + 1);
    else failed([...blocked], error);
  });
}
