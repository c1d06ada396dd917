const lookEveryMs = 50;

interface Waiting {
  /** by `performance.now()`; it may become later meanwhile */
  untilMs(): number;
  giveUp(): void;
}

/** What has to be given up at its time, at most 50 ms late. One timer serves all: each costs next to nothing. */
class Deadlines {
  readonly #waiting = new Set<Waiting>();
  #timer: NodeJS.Timeout | undefined;

  add(one: Waiting): void {
    this.#waiting.add(one);
    this.#timer ??= setInterval(() => this.#look(), lookEveryMs).unref();
  }

  delete(one: Waiting): void {
    this.#waiting.delete(one);
  }

  #look(): void {
    const nowMs = performance.now();
    for (const one of this.#waiting) {
      if (nowMs < one.untilMs()) continue;
      this.#waiting.delete(one);
      one.giveUp();
    }
    if (this.#waiting.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

export const deadlines = new Deadlines();

/** How long an answer is waited for, by `performance.now()`: as long as the most patient who waits. */
export interface Patience {
  untilMs: number;
}

/** Nobody waited any longer. */
export class LateError extends Error {
  override readonly name = 'TimeoutError';

  /** @param hadItsTime whether it had all the time that a subgraph has, so that it is to blame */
  constructor(readonly hadItsTime: boolean) {
    super('no answer in time');
  }
}

/** @throws LateError where the answer is not there by then; it is left to itself */
export function inTime<T>(answer: Promise<T>, untilMs: number): Promise<T> {
  if (untilMs === Number.POSITIVE_INFINITY) return answer;
  return new Promise((resolve, reject) => {
    const waiting = { untilMs: () => untilMs, giveUp: () => reject(new LateError(false)) };
    deadlines.add(waiting);
    const settled = () => deadlines.delete(waiting);
    answer.then(resolve, reject).finally(settled);
  });
}
