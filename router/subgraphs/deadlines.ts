const checkEveryMs = 50;

interface Entry {
  /** by `performance.now()`; it may become later meanwhile */
  deadlineMs(): number;
  expire(): void;
}

/** What has to be given up at its time, at most 50 ms late. One timer serves all: each costs next to nothing. */
class Deadlines {
  readonly #entries = new Set<Entry>();
  #timer: NodeJS.Timeout | undefined;

  add(entry: Entry): void {
    this.#entries.add(entry);
    this.#timer ??= setInterval(() => this.#check(), checkEveryMs).unref();
  }

  delete(entry: Entry): void {
    this.#entries.delete(entry);
  }

  #check(): void {
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

/** Until when an answer is waited for, by `performance.now()`: as long as the most patient who waits. */
export interface Deadline {
  atMs: number;
}

/** Nobody waited any longer. */
export class DeadlineExceeded extends Error {
  override readonly name = 'TimeoutError';

  /** @param isSubgraphTimeout whether it had all the time that a subgraph has, so that it is to blame */
  constructor(readonly isSubgraphTimeout: boolean) {
    super('no answer in time');
  }
}

/** @throws DeadlineExceeded where the answer is not there by then; it is left to itself */
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
