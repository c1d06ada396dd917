import { bisect } from '../../../shared/batching/bisect.js';
import { isLockTimeout } from '../../../shared/database/errors.js';
import { failsForAll } from '../../stock/stock-errors.js';

/** How long batches look for held rows before they lock any, after some were found. */
const rememberMs = 1000;

/** Whether other transactions held rows a moment ago: an import, or the closing of a warehouse. */
export class HeldRows {
  #untilMs = 0;

  noticed(): void {
    this.#untilMs = performance.now() + rememberMs;
  }

  get areLikely(): boolean {
    return performance.now() < this.#untilMs;
  }
}

export interface IsolatingOptions<T> {
  /** idempotent: a member may be in more than one call */
  work(members: readonly T[]): Promise<void>;
  /** the members whose rows other transactions have locked at this moment; does not wait for them */
  findBlocked(members: readonly T[]): Promise<readonly T[]>;
  /** called with members whose rows are locked: they were left out */
  blocked(members: readonly T[], error: unknown): void;
  /** called with what failed: one member, or several that fail for the same reason */
  failed(members: readonly T[], error: unknown): void;
  /** shared by the batches of one kind */
  readonly held: HeldRows;
}

/** How many lock timeouts the other members of a batch may have. */
const lockTimeoutsMax = 3;

/**
 * Runs a batch so that no member delays or fails another. After an error the batch is split in
 * halves (`bisect`). After a lock timeout it is not, as each half would wait again: it runs without
 * the members whose rows are locked. For a moment from then on, batches leave such members out before
 * they wait for them.
 */
export async function runBatchIsolating<T>(
  batch: readonly T[],
  options: IsolatingOptions<T>,
): Promise<void> {
  const free = options.held.areLikely
    ? await leaveOutBlocked(batch, options, blockedBefore)
    : batch;
  if (free.length > 0) await runFree(free, options, 1);
}

const blockedBefore = Object.assign(new Error('the rows are locked'), { code: '55P03' });

function runFree<T>(batch: readonly T[], options: IsolatingOptions<T>, attempt: number) {
  const { work, failed } = options;
  const isForAll = (error: unknown) => failsForAll(error) || isLockTimeout(error);
  return bisect(batch, work, isForAll, async (members, error) => {
    if (!isLockTimeout(error) || attempt === lockTimeoutsMax) return failed(members, error);
    const free = await leaveOutBlocked(members, options, error);
    if (free.length > 0) await runFree(free, options, attempt + 1);
  });
}

async function leaveOutBlocked<T>(
  members: readonly T[],
  { findBlocked, blocked, held }: IsolatingOptions<T>,
  error: unknown,
): Promise<readonly T[]> {
  const found = new Set(await findBlocked(members).catch(() => []));
  if (found.size === 0) return members;
  held.noticed();
  blocked([...found], error);
  return members.filter((member) => !found.has(member));
}
