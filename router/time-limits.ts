const lookEveryMs = 100;

/** A time limit passed; nobody waits for what it was set for any more. */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
}

type Listener = () => void;

/** As much of an emitter of `abort` as undici asks of one. */
export class Limit {
  reason: TimeoutError | undefined;
  #listener: Listener | undefined;

  constructor(
    readonly atMs: number,
    private readonly reject: (error: TimeoutError) => void,
  ) {}

  on(_event: string, listener: Listener): this {
    this.#listener = listener;
    return this;
  }

  once(event: string, listener: Listener): this {
    return this.on(event, listener);
  }

  removeListener(): void {
    this.#listener = undefined;
  }

  abort(): void {
    this.reason = new TimeoutError('there was no answer in time');
    this.reject(this.reason);
    this.#listener?.();
  }
}

/**
 * Time limits, all looked at together, ten times a second: they are as late as that, and cost a
 * fraction of a timer or an `AbortSignal` for each.
 */
export class TimeLimits {
  readonly #open = new Set<Limit>();
  #timer: NodeJS.Timeout | undefined;

  /**
   * What work comes to, however long it waits in a queue or trickles in.
   *
   * @param atMs by `performance.now()`; work that would be late already is not begun
   * @param work is told by the limit when it is to end
   * @throws TimeoutError
   */
  async until<T>(atMs: number, work: (limit: Limit) => Promise<T>): Promise<T> {
    if (atMs <= performance.now()) throw new TimeoutError('there was no time left to ask');
    return new Promise((resolve, reject) => {
      const limit = new Limit(atMs, reject);
      this.#open.add(limit);
      this.#timer ??= setInterval(() => this.#look(), lookEveryMs).unref();
      work(limit).then(
        (value) => {
          this.#open.delete(limit);
          resolve(value);
        },
        (error: unknown) => {
          this.#open.delete(limit);
          reject(error);
        },
      );
    });
  }

  #look(): void {
    const nowMs = performance.now();
    for (const limit of this.#open) {
      if (limit.atMs > nowMs) continue;
      this.#open.delete(limit);
      limit.abort();
    }
    if (this.#open.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
