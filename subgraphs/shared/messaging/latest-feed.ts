const coalesceMs = 50;

/** The row that a value describes, and its version; null if the subscriber does not want the value. */
export type PlaceOf<T> = (value: T) => { readonly key: string; readonly version: number } | null;

/**
 * The changes that one subscriber has not read yet: the latest of each row, so that the memory of a
 * subscriber that does not read is bounded by the number of rows. Versions of a row only rise.
 */
export class LatestFeed<T> implements AsyncIterableIterator<T> {
  readonly #pending = new Map<string, T>();
  readonly #versions = new Map<string, number>();
  #release: NodeJS.Timeout | undefined;
  #ready = false;
  #closed = false;
  #waiting: ((result: IteratorResult<T>) => void) | undefined;

  constructor(
    private readonly placeOf: PlaceOf<T>,
    private readonly onClose: (feed: LatestFeed<T>) => void,
  ) {}

  push(value: T): void {
    const place = this.placeOf(value);
    if (!place || place.version <= (this.#versions.get(place.key) ?? -1)) return;
    this.#versions.set(place.key, place.version);
    this.#pending.set(place.key, value);
    this.#release ??= setTimeout(() => this.#deliver(), coalesceMs);
  }

  #deliver(): void {
    this.#ready = true;
    this.#release = undefined;
    const next = this.#take();
    if (!next || !this.#waiting) return;
    const resolve = this.#waiting;
    this.#waiting = undefined;
    this.#pending.delete(next.key);
    resolve({ value: next.value, done: false });
  }

  #take() {
    const [first] = this.#pending;
    if (!first) this.#ready = false;
    return first && this.#ready ? { key: first[0], value: first[1] } : undefined;
  }

  next(): Promise<IteratorResult<T>> {
    if (this.#closed) return Promise.resolve({ value: undefined, done: true });
    const next = this.#take();
    if (next) {
      this.#pending.delete(next.key);
      return Promise.resolve({ value: next.value, done: false });
    }
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  return(): Promise<IteratorResult<T>> {
    if (!this.#closed) {
      this.#closed = true;
      clearTimeout(this.#release);
      this.#pending.clear();
      this.onClose(this);
      this.#waiting?.({ value: undefined, done: true });
    }
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator]() {
    return this;
  }
}
