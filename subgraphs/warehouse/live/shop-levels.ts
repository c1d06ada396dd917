import { KeyedLatest } from '../../shared/messaging/keyed-latest.js';

const pendingMax = 10_000;

/**
 * The levels of one shop that alerts are due for, since a subscriber connected and not delivered yet.
 * Beyond 10,000 unread levels, further ones cause no alert.
 */
export class LevelFeed extends KeyedLatest<string> {
  constructor(onClose: () => void) {
    super(pendingMax, onClose);
  }
}

/** A level, and how bad it is; 0 if it is not affected. */
export interface LevelDegree {
  readonly id: string;
  readonly shopId: string;
  readonly degree: number;
}

/** The affected levels of one shop, kept once for all subscribers of its alerts. */
export class ShopLevels {
  readonly feeds = new Set<LevelFeed>();
  readonly #degrees = new Map<string, number>();
  /** whether all affected levels have been read; until then no level causes an alert */
  isLoaded = false;

  get size(): number {
    return this.#degrees.size;
  }

  ids(): Iterable<string> {
    return this.#degrees.keys();
  }

  /** Takes the present degree of a level. One that is affected more than before causes an alert. */
  set(id: string, degree: number): void {
    const before = this.#degrees.get(id) ?? 0;
    if (degree === before) return;
    if (degree > 0) this.#degrees.set(id, degree);
    else this.#degrees.delete(id);
    if (!this.isLoaded) return;
    for (const feed of this.feeds) {
      if (degree > before) feed.put(id, id);
      else if (degree === 0) feed.remove(id);
    }
  }

  release(): void {
    for (const feed of this.feeds) feed.release();
  }

  /** Ends all feeds with the reason. */
  end(reason: Error): void {
    for (const feed of [...this.feeds]) feed.end(reason);
  }
}
