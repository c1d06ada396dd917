import { assert } from '../../../shared/assert.js';
import type { DispatcherLimits } from './dispatcher-limits.js';

/** How long a request at least waits for another batch after it was set aside. */
export const putBackMinMs = 200;

/** A request that waits for its batch, with the promise of its caller. */
export interface Waiting<Request, Outcome> {
  readonly request: Request;
  readonly keys: readonly string[];
  /** when it arrived, by `performance.now()` */
  readonly enqueuedMs: number;
  /** until when it waits for its batch */
  latestMs: number;
  /** asserts that it is called once, and that `reject` is not */
  resolve(outcome: Outcome): void;
  reject(error: unknown): void;
  isAnswered(): boolean;
}

/** A request that waits from now on, and the promise of its answer. */
export function waitingFor<Request, Outcome>(request: Request, keys: readonly string[]) {
  const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
  const nowMs = performance.now();
  let isAnswered = false;
  const answer = () => {
    assert(!isAnswered, 'a request is answered once');
    isAnswered = true;
  };
  const waiting: Waiting<Request, Outcome> = {
    request,
    keys,
    enqueuedMs: nowMs,
    latestMs: Number.POSITIVE_INFINITY,
    resolve(outcome) {
      answer();
      resolve(outcome);
    },
    reject(error) {
      answer();
      reject(error);
    },
    isAnswered: () => isAnswered,
  };
  return { waiting, promise };
}

export function rejectAll(all: readonly { reject(error: unknown): void }[], error: unknown): void {
  for (const each of all) each.reject(error);
}

/** The keys that the requests of a batch need, each once, in the order in which they are locked. */
export const keysOfAll = (batch: readonly { keys: readonly string[] }[]): string[] =>
  [...new Set(batch.flatMap(({ keys }) => keys))].sort();

/**
 * Requests in order of arrival. A request is always in one of these states:
 *
 * - WAITING, from `push` on. `select` and `selectFrom` only look: a request that they return still
 *   waits. → TAKEN by `take`. → REMOVED by `removeLate`.
 * - TAKEN: it is in a batch and not in the queue any more. The batch answers it. → WAITING by `putBack`,
 *   if its rows were locked.
 * - REMOVED: it waited too long. The caller refuses it.
 *
 * A request is selected only together with, or after, every earlier one that shares a key with it:
 * one that is passed over bars its keys to later ones.
 */
export class WaitingQueue<Request, Outcome> {
  #queue: Waiting<Request, Outcome>[] = [];

  constructor(
    private readonly limits: Pick<
      DispatcherLimits,
      'batchMax' | 'keysPerBatchMax' | 'queueMax' | 'waitMaxMs'
    >,
  ) {}

  get length(): number {
    return this.#queue.length;
  }

  /** Whether `queueMax` requests wait: the dispatcher refuses one more. */
  get isFull(): boolean {
    return this.#queue.length >= this.limits.queueMax;
  }

  push(waiting: Waiting<Request, Outcome>): void {
    waiting.latestMs = waiting.enqueuedMs + this.limits.waitMaxMs;
    this.#queue.push(waiting);
  }

  /** Puts requests back that were taken, before all that arrived later. They wait `putBackMinMs` at least. */
  putBack(taken: readonly Waiting<Request, Outcome>[]): void {
    const earliestMs = performance.now() + putBackMinMs;
    for (const each of taken) each.latestMs = Math.max(each.latestMs, earliestMs);
    this.#queue = [...taken, ...this.#queue].sort((a, b) => a.enqueuedMs - b.enqueuedMs);
  }

  /** The next batch of requests all of whose keys may be taken. */
  select(mayTake: (key: string) => boolean): Waiting<Request, Outcome>[] {
    const { batchMax, keysPerBatchMax } = this.limits;
    const barred = new Set<string>();
    const keys = new Set<string>();
    const batch: Waiting<Request, Outcome>[] = [];
    for (const waiting of this.#queue) {
      if (batch.length === batchMax) break;
      if (waiting.keys.every((key) => mayTake(key) && !barred.has(key))) {
        const added = waiting.keys.filter((key) => !keys.has(key));
        if (batch.length > 0 && keys.size + added.length > keysPerBatchMax) break;
        for (const key of added) keys.add(key);
        batch.push(waiting);
      } else {
        for (const key of waiting.keys) barred.add(key);
      }
    }
    return batch;
  }

  /** The next batch of requests that need none but these keys. */
  selectFrom(keys: readonly string[]): Waiting<Request, Outcome>[] {
    const allowed = new Set(keys);
    return this.select((key) => allowed.has(key));
  }

  /** Removes and returns the batch of `selectFrom`. */
  take(keys: readonly string[]): Waiting<Request, Outcome>[] {
    const batch = this.selectFrom(keys);
    const taken = new Set(batch);
    this.#queue = this.#queue.filter((waiting) => !taken.has(waiting));
    return batch;
  }

  /** Removes and returns the requests that wait for too long at a time (`performance.now()`). */
  removeLate(nowMs: number): Waiting<Request, Outcome>[] {
    const isLate = ({ latestMs }: Waiting<Request, Outcome>) => latestMs < nowMs;
    const removed = this.#queue.filter(isLate);
    if (removed.length > 0) this.#queue = this.#queue.filter((waiting) => !isLate(waiting));
    return removed;
  }
}
