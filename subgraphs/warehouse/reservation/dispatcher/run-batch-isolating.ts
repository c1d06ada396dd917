import { bisect } from '../../../shared/batching/bisect.js';
import { isLockTimeout } from '../../../shared/database/errors.js';
import { failsForAll } from '../../stock/stock-errors.js';
import { busy } from './stock-refusal.js';

/** How long batches look for held rows before they lock any, after a lock timeout. */
const rememberMs = 1000;
/** How long a batch may be split and repeated: the order subgraph waits for 13 s. */
const batchMaxMs = 8000;

/**
 * Whether another transaction held rows for as long as a lock timeout a moment ago: an import, or the
 * closing of a warehouse. Rows that are held for less are waited for.
 */
export class HeldRows {
  #untilMs = 0;

  timedOut(): void {
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
  /** called with members that were left out as their rows are locked. @param waited for a lock timeout */
  blocked(members: readonly T[], waited: boolean): void;
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
 * they wait for them. What is not done after `batchMaxMs` fails as busy.
 */
export async function runBatchIsolating<T>(
  batch: readonly T[],
  options: IsolatingOptions<T>,
): Promise<void> {
  const free = options.held.areLikely ? await leaveOutBlocked(batch, options, false) : batch;
  const latestMs = performance.now() + batchMaxMs;
  const work = async (members: readonly T[]) => {
    if (performance.now() > latestMs) throw busy();
    await options.work(members);
  };
  if (free.length > 0) await runFree(free, { ...options, work }, 1);
}

function runFree<T>(batch: readonly T[], options: IsolatingOptions<T>, attempt: number) {
  const { work, failed } = options;
  const isForAll = (error: unknown) => failsForAll(error) || isLockTimeout(error);
  return bisect(batch, work, isForAll, async (members, error) => {
    if (!isLockTimeout(error) || attempt === lockTimeoutsMax) return failed(members, error);
    const free = await leaveOutBlocked(members, options, true);
    if (free.length > 0) await runFree(free, options, attempt + 1);
  });
}

async function leaveOutBlocked<T>(
  members: readonly T[],
  { findBlocked, blocked, held }: IsolatingOptions<T>,
  waited: boolean,
): Promise<readonly T[]> {
  const found = new Set(await findBlocked(members).catch(() => []));
  if (found.size === 0) return members;
  if (waited) held.timedOut();
  blocked([...found], waited);
  return members.filter((member) => !found.has(member));
}
