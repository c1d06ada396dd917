/**
 * A buffer between one writer and one reader: the latest value of each key, in the order in which the
 * keys were first put. At most `max` keys.
 *
 * - COLLECTING: values are put; a reader waits. `release` leads to READABLE.
 * - READABLE: values are read, also those put meanwhile. A read that finds none leads to COLLECTING.
 * - CLOSED: nothing can be put. After `end` without an error, the remaining values can be read.
 */
export class KeyedLatest<T> implements AsyncIterableIterator<T> {
  readonly #pending = new Map<string, T>();
  #isReadable = false;
  #isClosed = false;
  #error: Error | undefined;
  #pendingRead: PromiseWithResolvers<IteratorResult<T>> | undefined;

  /** @param onClose called once, by `end` or `return` */
  constructor(
    private readonly max: number,
    private readonly onClose: () => void,
  ) {}

  /** Replaces the value of the key. @returns false if the buffer is closed, or full without this key */
  put(key: string, value: T): boolean {
    const isFull = this.#pending.size >= this.max && !this.#pending.has(key);
    if (this.#isClosed || isFull) return false;
    this.#pending.set(key, value);
    return true;
  }

  /** The value of the key that was not read yet. */
  get(key: string): T | undefined {
    return this.#pending.get(key);
  }

  remove(key: string): void {
    this.#pending.delete(key);
  }

  /** Lets the reader have the values that were put. */
  release(): void {
    this.#isReadable = this.#pending.size > 0;
    if (!this.#pendingRead) return;
    const next = this.#take();
    if (next) this.#resolveRead((read) => read.resolve(next));
  }

  /** Closes the buffer: at once with an error, which `next` throws once; otherwise after the remaining values. */
  end(error?: Error): void {
    if (this.#isClosed) return;
    this.#error = error;
    if (error) this.#pending.clear();
    this.#isReadable = true;
    this.#close();
    this.#resolveRead((read) => read.resolve(this.next()));
  }

  /** number of values that were not read yet */
  get size(): number {
    return this.#pending.size;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  next(): Promise<IteratorResult<T>> {
    const next = this.#take();
    if (next) return Promise.resolve(next);
    const error = this.#error;
    this.#error = undefined;
    if (error) return Promise.reject(error);
    if (this.#isClosed) return Promise.resolve({ value: undefined, done: true });
    this.#pendingRead ??= Promise.withResolvers();
    return this.#pendingRead.promise;
  }

  /** Closes the buffer at once. */
  return(): Promise<IteratorResult<T>> {
    this.#pending.clear();
    this.#error = undefined;
    this.#close();
    this.#resolveRead((read) => read.resolve({ value: undefined, done: true }));
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator]() {
    return this;
  }

  #take(): IteratorYieldResult<T> | undefined {
    if (!this.#isReadable) return undefined;
    for (const [key, value] of this.#pending) {
      this.#pending.delete(key);
      return { value, done: false };
    }
    this.#isReadable = false;
    return undefined;
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.onClose();
  }

  #resolveRead(resolve: (read: PromiseWithResolvers<IteratorResult<T>>) => void): void {
    const read = this.#pendingRead;
    this.#pendingRead = undefined;
    if (read) resolve(read);
  }
}
