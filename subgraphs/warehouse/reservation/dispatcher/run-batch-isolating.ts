import { bisect } from '../../../shared/batching/bisect.js';
import { isLockTimeout } from '../../../shared/database/errors.js';
import { failsForAll } from '../../stock/stock-errors.js';

export interface IsolatingOptions<T> {
  /** idempotent: a member may be in it more than once */
  work(part: readonly T[]): Promise<void>;
  /** those whose rows other transactions have at this moment */
  findBlocked(part: readonly T[]): Promise<readonly T[]>;
  /** gets what could not be done: one member, or a part that fails as a whole */
  failed(part: readonly T[], error: unknown): void;
  /** how often a member may wait for its rows, each time for as long as the connection waits */
  readonly waitsMax: number;
}

/**
 * Does a batch so that no member keeps up another: one that fails is split in halves (`bisect`). One
 * that waited for rows in vain is not, as each half would wait again: it goes on without those whose
 * rows somebody has, and they wait by themselves.
 */
export function runBatchIsolating<T>(
  batch: readonly T[],
  options: IsolatingOptions<T>,
  waits = 1,
): Promise<void> {
  const { work, findBlocked, failed, waitsMax } = options;
  const isWhole = (error: unknown) => failsForAll(error) || isLockTimeout(error);
  return bisect(batch, work, isWhole, async (part, error) => {
    if (!isLockTimeout(error)) return failed(part, error);
    if (waits > waitsMax) return failed(part, error);
    const blocked = new Set(await findBlocked(part).catch(() => part));
    const free = part.filter((member) => !blocked.has(member));
    if (free.length > 0) await runBatchIsolating(free, options, waits + 1);
    if (blocked.size === 0) return;
    if (waits < waitsMax) await runBatchIsolating([...blocked], options, waits + 1);
    else failed([...blocked], error);
  });
}
