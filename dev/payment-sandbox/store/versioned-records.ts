import { isoTime } from './records.js';

interface Versioned {
  readonly id: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

interface Version<T> {
  readonly record: T;
  readonly older: Version<T> | null;
}

interface Slot<T> {
  readonly createdAt: string;
  newest: Version<T>;
}

export interface PageQuery {
  /** included */
  readonly from: string;
  /** not included */
  readonly to: string;
  /** the id of the last record of the page before */
  readonly after: string | null;
  readonly limit: number;
}

export interface Page<T> {
  readonly data: readonly T[];
  readonly hasMore: boolean;
}

/** For how long the versions of a record are kept. */
export const lagMaxMs = 600_000;

/**
 * Records by id, in the order of their creation. Their versions of the last `lagMaxMs` are kept, for lists
 * that lag behind.
 */
export class VersionedRecords<T extends Versioned> {
  readonly #slots = new Map<string, Slot<T>>();
  readonly #ordered: Slot<T>[] = [];

  get(id: string): T | undefined {
    return this.#slots.get(id)?.newest.record;
  }

  /** records in their state at a time, without those that were created later */
  at(records: readonly T[], asOf: string): T[] {
    return records.flatMap(({ id }) => {
      const slot = this.#slots.get(id);
      return (slot && versionAt(slot.newest, asOf)) ?? [];
    });
  }

  /** all records, oldest first */
  all(): T[] {
    return this.#ordered.map(({ newest }) => newest.record);
  }

  /** Takes the newest version of a record. @returns whether the record is new */
  keep(record: T): boolean {
    const slot = this.#slots.get(record.id);
    if (!slot) {
      this.#insert({ createdAt: record.createdAt, newest: { record, older: null } });
      return true;
    }
    const isStillListed = slot.newest.record.updatedAt > isoTime(Date.now() - lagMaxMs);
    const older = isStillListed ? slot.newest : { record: slot.newest.record, older: null };
    slot.newest = { record, older };
    return false;
  }

  #insert(slot: Slot<T>): void {
    this.#slots.set(slot.newest.record.id, slot);
    const last = this.#ordered.at(-1);
    if (!last || last.createdAt <= slot.createdAt) this.#ordered.push(slot);
    // The clock was set back.
    else this.#ordered.splice(this.#firstFrom(slot.createdAt), 0, slot);
  }

  /** The position of the first record that was created then or later. */
  #firstFrom(createdAt: string): number {
    let low = 0;
    let high = this.#ordered.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ordered[middle] as Slot<T>).createdAt < createdAt) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * The records that were created in a period, oldest first, in their state at a time.
   *
   * @returns undefined if the record of `after` is unknown
   */
  page(
    { from, to, after, limit }: PageQuery,
    asOf: string,
    isListed: (record: T) => boolean,
  ): Page<T> | undefined {
    let at = this.#firstFrom(from);
    if (after !== null) {
      const previous = this.#slots.get(after);
      if (!previous) return undefined;
      at = this.#ordered.indexOf(previous, this.#firstFrom(previous.createdAt)) + 1;
    }
    const data: T[] = [];
    for (; at < this.#ordered.length; at++) {
      const { createdAt, newest } = this.#ordered[at] as Slot<T>;
      if (createdAt >= to || createdAt > asOf) break;
      const record = versionAt(newest, asOf);
      if (!record || !isListed(record)) continue;
      if (data.length === limit) return { data, hasMore: true };
      data.push(record);
    }
    return { data, hasMore: false };
  }
}

function versionAt<T extends Versioned>(newest: Version<T>, asOf: string): T | undefined {
  let version: Version<T> | null = newest;
  while (version && version.record.updatedAt > asOf) version = version.older;
  return version?.record;
}
