import { tooMany } from './format-errors.js';

/** The watched items of one subscription; they count towards the limit of its client. */
export interface WatchedItems {
  /** Counts `total` items from now on, if these are more than before. @throws `RATE_LIMITED` */
  raise(total: number): void;
  /** Further calls do nothing. */
  release(): void;
}

/**
 * Counts the items that open subscriptions watch, per client.
 *
 * @returns a function that begins to count for a subscription; its keys have a limit each
 */
export function createWatchedItems(perKeyMax: number): (keys: readonly string[]) => WatchedItems {
  const watched = new Map<string, number>();
  const countOf = (key: string) => watched.get(key) ?? 0;
  return (keys) => {
    let own = 0;
    let isHeld = true;
    const add = (items: number) => {
      own += items;
      for (const key of keys) {
        const count = countOf(key) + items;
        if (count === 0) watched.delete(key);
        else watched.set(key, count);
      }
    };
    return {
      raise(total) {
        const more = total - own;
        if (!isHeld || more <= 0) return;
        if (keys.some((key) => countOf(key) + more > perKeyMax)) {
          throw tooMany('Too many items are watched. Close subscriptions, or watch fewer items.');
        }
        add(more);
      },
      release() {
        isHeld = false;
        add(-own);
      },
    };
  };
}
