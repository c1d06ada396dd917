import type { GraphQLFormattedError } from 'graphql';

/** One event as clients receive it, with formatted errors. The object is shared by all clients of a feed. */
export interface Result {
  readonly data?: unknown;
  readonly errors?: readonly GraphQLFormattedError[];
  readonly extensions?: unknown;
}

/** Why the server ended a stream. `next` throws it once. */
export class StreamEnd extends Error {
  constructor(readonly errors: readonly GraphQLFormattedError[]) {
    super(errors[0]?.message ?? 'The subscription ended.');
  }
}

/**
 * The events that one client has not read yet: the latest of each entity, in the order of their arrival,
 * so that the memory of a slow client is bounded by the number of entities that it watches. Beyond `max`
 * entities the stream ends with an error: dropping an event would leave the client with stale data
 * without notice.
 */
export class ClientStream implements AsyncIterableIterator<Result> {
  readonly #pending = new Map<string, Result>();
  #unkeyed = 0;
  #end: StreamEnd | undefined;
  #closed = false;
  #pendingRead: PromiseWithResolvers<IteratorResult<Result>> | undefined;

  constructor(
    private readonly max: number,
    private readonly tooSlow: () => StreamEnd,
    private readonly onClose: () => void,
  ) {}

  /** @param key the entity of the event; null if no later event replaces this one */
  push(key: string | null, result: Result): void {
    if (this.#closed) return;
    if (this.#pendingRead) {
      this.#resolveRead((read) => read.resolve({ value: result, done: false }));
      return;
    }
    if (key === null) this.#unkeyed += 1;
    const slot = key ?? `#${this.#unkeyed}`;
    if (this.#pending.size >= this.max && !this.#pending.has(slot)) this.end(this.tooSlow());
    else this.#pending.set(slot, result);
  }

  /** Ends the stream: at once with a reason, which is sent to the client; without one, after pending values. */
  end(reason?: StreamEnd): void {
    if (this.#closed) return;
    this.#end = reason;
    if (reason) this.#pending.clear();
    this.#close();
    this.#resolveRead((read) => {
      if (reason) read.reject(this.#takeEnd());
      else read.resolve({ value: undefined, done: true });
    });
  }

  /** number of events that the client has not read */
  get size(): number {
    return this.#pending.size;
  }

  /** Whether the stream takes no more events; pending events can still be read. */
  get isClosed(): boolean {
    return this.#closed;
  }

  next(): Promise<IteratorResult<Result>> {
    for (const [slot, value] of this.#pending) {
      this.#pending.delete(slot);
      return Promise.resolve({ value, done: false });
    }
    if (this.#end) return Promise.reject(this.#takeEnd());
    if (this.#closed) return Promise.resolve({ value: undefined, done: true });
    this.#pendingRead ??= Promise.withResolvers();
    return this.#pendingRead.promise;
  }

  return(): Promise<IteratorResult<Result>> {
    this.#pending.clear();
    this.#end = undefined;
    this.#close();
    this.#resolveRead((read) => read.resolve({ value: undefined, done: true }));
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

  #resolveRead(resolve: (read: PromiseWithResolvers<IteratorResult<Result>>) => void): void {
    const read = this.#pendingRead;
    this.#pendingRead = undefined;
    if (read) resolve(read);
  }
}
