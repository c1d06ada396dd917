import { tooMany } from './format-errors.js';

/** Counts what clients have open, each and in total. */
export interface OpenCounts {
  /**
   * @returns a function that releases the slot; further calls do nothing
   * @throws `RATE_LIMITED` if the limit of the key, or the total limit, is reached
   */
  acquire(key: string): () => void;
  readonly total: number;
}

/** @param what singular noun, used in error messages */
export function createOpenCounts(
  what: 'Subscription' | 'Connection' | 'File transfer',
  perKeyMax: number,
  totalMax: number,
): OpenCounts {
  const open = new Map<string, number>();
  let total = 0;
  return {
    acquire(key) {
      const count = open.get(key) ?? 0;
      if (count >= perKeyMax) throw tooMany(`${what} limit reached.`);
      if (total >= totalMax) throw tooMany(`The server’s ${what.toLowerCase()} limit is reached.`);
      open.set(key, count + 1);
      total += 1;
      let isHeld = true;
      return () => {
        if (!isHeld) return;
        isHeld = false;
        total -= 1;
        const remaining = (open.get(key) as number) - 1;
        if (remaining === 0) open.delete(key);
        else open.set(key, remaining);
      };
    },
    get total() {
      return total;
    },
  };
}
