const checkEveryMs = 50;
/** So long after the last check the event loop has stalled. */
const lateAfterMs = 2 * checkEveryMs;

interface Entry {
  /** by `performance.now()`; it may be moved later */
  deadlineMs(): number;
  expire(): void;
}

/**
 * Something that is cancelled at its deadline, some 50 ms late. One timer serves all, so each is cheap. After a stall
 * of the event loop nothing is cancelled before what arrived meanwhile has been read: it may be the answer.
 */
class Deadlines {
  readonly #entries = new Set<Entry>();
  #timer: NodeJS.Timeout | undefined;
  #checkedMs = 0;

  add(entry: Entry): void {
    this.#entries.add(entry);
    if (this.#timer) return;
    this.#checkedMs = performance.now();
    this.#timer = setInterval(() => this.check(), checkEveryMs).unref();
  }

  delete(entry: Entry): void {
    this.#entries.delete(entry);
  }

  /** Cancels what is due; called every 50 ms. */
  check(): void {
    const nowMs = performance.now();
    const isLate = nowMs - this.#checkedMs > lateAfterMs;
    this.#checkedMs = nowMs;
    // Timers run before the sockets are read, and this after it.
    if (isLate) setImmediate(() => this.#expire());
    else this.#expire();
  }

  #expire(): void {
    const nowMs = performance.now();
    for (const entry of this.#entries) {
      if (nowMs < entry.deadlineMs()) continue;
      this.#entries.delete(entry);
      entry.expire();
    }
    if (this.#entries.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

export const deadlines = new Deadlines();

/** Until when a response is awaited, by `performance.now()`: the latest deadline of those who wait. */
export interface Deadline {
  atMs: number;
}

/** All deadlines have passed. */
export class DeadlineExceeded extends Error {
  override readonly name = 'TimeoutError';

  /** @param isSubgraphTimeout whether it used the subgraph's whole timeout, so that the subgraph is at fault */
  constructor(readonly isSubgraphTimeout: boolean) {
    super('no response in time');
  }
}

/** @throws DeadlineExceeded without a result by then; the work itself is not cancelled */
export function withDeadline<T>(answer: Promise<T>, deadlineMs: number): Promise<T> {
  if (deadlineMs === Number.POSITIVE_INFINITY) return answer;
  return new Promise((resolve, reject) => {
    const entry = {
      deadlineMs: () => deadlineMs,
      expire: () => reject(new DeadlineExceeded(false)),
    };
    deadlines.add(entry);
    answer.then(resolve, reject).finally(() => deadlines.delete(entry));
  });
}
