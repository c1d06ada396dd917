import { KeyedLatest } from './keyed-latest.js';

// A page of hot SKUs changes hundreds of times a second, which nobody can read.
const coalesceMs = 200;

/**
 * The changes that one subscriber has not read yet: the latest of each row, so that the memory of a
 * subscriber that does not read is bounded by the number of rows that it watches. `FeedIndex` pushes a
 * later version of a row only after an earlier one. A single change is readable at once; further ones
 * within 200 ms become readable together.
 */
export class LatestFeed<T extends { readonly version: number }> extends KeyedLatest<T> {
  #release: NodeJS.Timeout | undefined;
  #releasedAtMs = Number.NEGATIVE_INFINITY;

  constructor(onClose: () => void) {
    super(Number.POSITIVE_INFINITY, onClose);
  }

  /** Replaces the unread value of the row, unless that has the same or a later version. */
  push(key: string, value: T): void {
    if (value.version <= (this.get(key)?.version ?? -1)) return;
    if (!this.put(key, value)) return;
    this.#release ??= setTimeout(
      () => {
        this.#release = undefined;
        this.#releasedAtMs = performance.now();
        this.release();
      },
      Math.max(0, this.#releasedAtMs + coalesceMs - performance.now()),
    );
  }

  override return(): Promise<IteratorResult<T>> {
    clearTimeout(this.#release);
    return super.return();
  }
}
