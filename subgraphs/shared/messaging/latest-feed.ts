import { KeyedLatest } from './keyed-latest.js';

const coalesceMs = 50;

/** The row that a value describes, and its version; null if the subscriber does not want the value. */
export type PlaceOf<T> = (value: T) => { readonly key: string; readonly version: number } | null;

/**
 * The changes that one subscriber has not read yet: the latest of each row, so that the memory of a
 * subscriber that does not read is bounded by the number of rows that it watches. Versions of a row
 * only rise.
 */
export class LatestFeed<T> extends KeyedLatest<T> {
  readonly #versions = new Map<string, number>();
  #release: NodeJS.Timeout | undefined;

  constructor(
    private readonly placeOf: PlaceOf<T>,
    onClose: () => void,
  ) {
    super(Number.POSITIVE_INFINITY, onClose);
  }

  push(value: T): void {
    const place = this.placeOf(value);
    if (!place || place.version <= (this.#versions.get(place.key) ?? -1)) return;
    if (!this.put(place.key, value)) return;
    this.#versions.set(place.key, place.version);
    this.#release ??= setTimeout(() => {
      this.#release = undefined;
      this.release();
    }, coalesceMs);
  }

  override return(): Promise<IteratorResult<T>> {
    clearTimeout(this.#release);
    return super.return();
  }
}
