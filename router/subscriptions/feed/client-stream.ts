import type { GraphQLFormattedError } from 'graphql';

/** One event as a client gets it, its errors formatted. Shared by all who get it. */
export interface Result {
  readonly data?: unknown;
  readonly errors?: readonly GraphQLFormattedError[];
  readonly extensions?: unknown;
}

/** Why a stream was ended from this side; `next` throws it, once. */
export class StreamEnd extends Error {
  constructor(readonly errors: readonly GraphQLFormattedError[]) {
    super(errors[0]?.message ?? 'The subscription ended.');
  }
}

/**
 * What one client has not been given yet: the latest event of each thing, in the order in which they
 * became due, so that one who reads slowly costs no more than the things it watches. Beyond `max` the
 * client is let go: with what is left out it would be wrong without knowing it.
 */
export class ClientStream implements AsyncIterableIterator<Result> {
  readonly #pending = new Map<string, Result>();
  #unkeyed = 0;
  #end: StreamEnd | undefined;
  #closed = false;
  #waiting: PromiseWithResolvers<IteratorResult<Result>> | undefined;

  constructor(
    private readonly max: number,
    private readonly tooSlow: () => StreamEnd,
    private readonly onClose: () => void,
  ) {}

  /** @param key what the event is about; null where it has to be given whatever comes after it */
  push(key: string | null, result: Result): void {
    if (this.#closed) return;
    if (this.#waiting) {
      this.#settle((waiting) => waiting.resolve({ value: result, done: false }));
      return;
    }
    if (key === null) this.#unkeyed += 1;
    const place = key ?? `#${this.#unkeyed}`;
    if (this.#pending.size >= this.max && !this.#pending.has(place)) this.end(this.tooSlow());
    else this.#pending.set(place, result);
  }

  /** Ends the stream: at once with a reason, which is sent to the client; without one, after pending values. */
  end(reason?: StreamEnd): void {
    if (this.#closed) return;
    this.#end = reason;
    if (reason) this.#pending.clear();
    this.#close();
    this.#settle((waiting) => {
      if (reason) waiting.reject(this.#takeEnd());
      else waiting.resolve({ value: undefined, done: true });
    });
  }

  /** how many events wait for the client */
  get size(): number {
    return this.#pending.size;
  }

  /** Nothing is added any more; what is pending may still be read. */
  get isClosed(): boolean {
    return this.#closed;
  }

  next(): Promise<IteratorResult<Result>> {
    for (const [place, value] of this.#pending) {
      this.#pending.delete(place);
      return Promise.resolve({ value, done: false });
    }
    if (this.#end) return Promise.reject(this.#takeEnd());
    if (this.#closed) return Promise.resolve({ value: undefined, done: true });
    this.#waiting ??= Promise.withResolvers();
    return this.#waiting.promise;
  }

  return(): Promise<IteratorResult<Result>> {
    this.#pending.clear();
    this.#end = undefined;
    this.#close();
    this.#settle((waiting) => waiting.resolve({ value: undefined, done: true }));
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator]() {
    return this;
  }

  #takeEnd(): StreamEnd | undefined {
    const end = this.#end;
    this.#end = undefined;
    return end;
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.onClose();
  }

  #settle(how: (waiting: PromiseWithResolvers<IteratorResult<Result>>) => void): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting) how(waiting);
  }
}
