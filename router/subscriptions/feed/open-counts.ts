import { tooMany } from './format-errors.js';

/** Counts what is open, by who has it and in all. */
export interface OpenCounts {
  /**
   * @returns a function that gives it back, once
   * @throws `RATE_LIMITED` where the key, or all together, have as many as they may
   */
  take(key: string): () => void;
  readonly total: number;
}

export function createOpenCounts(what: string, perKeyMax: number, totalMax: number): OpenCounts {
  const open = new Map<string, number>();
  let total = 0;
  return {
    take(key) {
      const count = open.get(key) ?? 0;
      if (count >= perKeyMax) throw tooMany(`Limit of open ${what} reached.`);
      if (total >= totalMax) throw tooMany(`The server’s limit of open ${what} is reached.`);
      open.set(key, count + 1);
      total += 1;
      let isTaken = true;
      return () => {
        if (!isTaken) return;
        isTaken = false;
        total -= 1;
        const left = (open.get(key) as number) - 1;
        if (left === 0) open.delete(key);
        else open.set(key, left);
      };
    },
    get total() {
      return total;
    },
  };
}
