import { assert } from '../../shared/assert.js';

export interface PaceLimits {
  /** items of snapshots that are sent in one second */
  readonly itemsPerSecond: number;
  /** items that are sent at once after a pause */
  readonly burst: number;
  /** items beyond those expected for which later snapshots wait */
  readonly debtMax: number;
}

interface Waiting {
  readonly items: number;
  resolve(): void;
}

// One in so many turns goes to the snapshot that has waited longest, the others to the smallest.
const oldestEvery = 4;

/**
 * Limits the items of snapshots that a process sends in a second, so that a wave of subscribers does not delay
 * orders. Small snapshots go first: somebody who opens the page of a product does not wait for large ones.
 */
export class SnapshotPace {
  /** in the order of their arrival */
  readonly #waiting: Waiting[] = [];
  #available: number;
  #updatedMs = performance.now();
  #turns = 0;
  #isStopped = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly limits: PaceLimits) {
    this.#available = limits.burst;
  }

  /** number of snapshots that wait */
  get size(): number {
    return this.#waiting.length;
  }

  /** Resolves when a snapshot of about so many items may be read, or when the subscriber has left. */
  turn(items: number, hasLeft: AbortSignal): Promise<void> {
    if (this.#isStopped || hasLeft.aborted) return Promise.resolve();
    return new Promise((resolved) => {
      const resolve = () => {
        hasLeft.removeEventListener('abort', leave);
        resolved();
      };
      const waiting: Waiting = { items, resolve };
      const leave = () => {
        const at = this.#waiting.indexOf(waiting);
        if (at >= 0) this.#waiting.splice(at, 1);
        resolve();
      };
      hasLeft.addEventListener('abort', leave, { once: true });
      this.#waiting.push(waiting);
      this.#proceed();
    });
  }

  /** Counts what a snapshot had beyond the items that were expected. */
  charge(items: number): void {
    this.#available = Math.max(-this.limits.debtMax, this.#available - items);
    if (items < 0) this.#proceed();
  }

  /** Lets all proceed, from now on too. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    for (const { resolve } of this.#waiting.splice(0)) resolve();
  }

  #proceed(): void {
    clearTimeout(this.#timer);
    this.#refill();
    while (this.#available > 0 && this.size > 0) {
      const next = this.#next();
      this.#available -= next.items;
      next.resolve();
    }
    if (this.size === 0) return;
    const waitMs = ((1 - this.#available) / this.limits.itemsPerSecond) * 1000;
    this.#timer = setTimeout(() => this.#proceed(), Math.max(1, waitMs));
  }

  #next(): Waiting {
    this.#turns += 1;
    let chosen = 0;
    if (this.#turns % oldestEvery !== 0) {
      for (const [n, { items }] of this.#waiting.entries()) {
        if (items < (this.#waiting[chosen] as Waiting).items) chosen = n;
      }
    }
    const [next] = this.#waiting.splice(chosen, 1);
    assert(next !== undefined, 'a snapshot waits');
    return next;
  }

  #refill(): void {
    const nowMs = performance.now();
    const { itemsPerSecond, burst } = this.limits;
    const refilled = ((nowMs - this.#updatedMs) / 1000) * itemsPerSecond;
    this.#available = Math.min(burst, this.#available + refilled);
    this.#updatedMs = nowMs;
  }
}
