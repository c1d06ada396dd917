import { assert } from '../../shared/assert.js';

export interface PaceLimits {
  /** items of snapshots that are sent in one second */
  readonly itemsPerSecond: number;
  /** items that are sent at once after a pause */
  readonly burst: number;
}

interface Waiting {
  readonly items: number;
  resolve(): void;
}

/**
 * Bounds how many items of snapshots a process sends in a second, so that thousands of subscribers who arrive or
 * come back at once leave it, and those who receive the items, time for orders. Small snapshots go first: somebody
 * who opens the page of a product does not wait for whole shops.
 */
export class SnapshotPace {
  /** in ascending order of their items */
  readonly #waiting: Waiting[] = [];
  #available: number;
  #updatedMs = performance.now();
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly limits: PaceLimits) {
    this.#available = limits.burst;
  }

  /** number of snapshots that wait */
  get size(): number {
    return this.#waiting.length;
  }

  /** Resolves when a snapshot of about so many items may be read; `charge` then counts the difference. */
  turn(items: number): Promise<void> {
    return new Promise((resolve) => {
      const after = this.#waiting.findIndex((each) => each.items > items);
      this.#waiting.splice(after < 0 ? this.size : after, 0, { items, resolve });
      this.#proceed();
    });
  }

  charge(items: number): void {
    this.#available -= items;
  }

  /** Lets all proceed that wait. */
  stop(): void {
    clearTimeout(this.#timer);
    for (const { resolve } of this.#waiting.splice(0)) resolve();
  }

  #proceed(): void {
    clearTimeout(this.#timer);
    this.#refill();
    while (this.#available > 0 && this.size > 0) {
      const next = this.#waiting.shift();
      assert(next !== undefined, 'a snapshot waits');
      this.#available -= next.items;
      next.resolve();
    }
    if (this.size === 0) return;
    const waitMs = ((1 - this.#available) / this.limits.itemsPerSecond) * 1000;
    this.#timer = setTimeout(() => this.#proceed(), Math.max(1, waitMs));
  }

  #refill(): void {
    const nowMs = performance.now();
    const { itemsPerSecond, burst } = this.limits;
    const refilled = ((nowMs - this.#updatedMs) / 1000) * itemsPerSecond;
    this.#available = Math.min(burst, this.#available + refilled);
    this.#updatedMs = nowMs;
  }
}
