import { bisect } from '../../../shared/batching/bisect.js';
import { isLockTimeout } from '../../../shared/database/errors.js';
import { failsForAll } from '../../stock/move-stock.js';

export interface PartsOptions<T> {
  /** idempotent: a member may be in it more than once */
  work(part: readonly T[]): Promise<void>;
  /** those whose rows other transactions have at this moment */
  heldUp(part: readonly T[]): Promise<readonly T[]>;
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
export function inParts<T>(
  batch: readonly T[],
  options: PartsOptions<T>,
  waits = 1,
): Promise<void> {
  const { work, heldUp, failed, waitsMax } = options;
  const isWhole = (error: unknown) => failsForAll(error) || isLockTimeout(error);
  return bisect(batch, work, isWhole, async (part, error) => {
    if (!isLockTimeout(error)) return failed(part, error);
    if (waits > waitsMax) return failed(part, error);
    const held = new Set(await heldUp(part).catch(() => part));
    const free = part.filter((member) => !held.has(member));
    if (free.length > 0) await inParts(free, options, waits + 1);
    if (held.size === 0) return;
    if (waits < waitsMax) await inParts([...held], options, waits + 1);
    else failed([...held], error);
  });
}
