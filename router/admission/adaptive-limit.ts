export interface AdaptiveLimitOptions {
  /** the limit at first, and the highest one */
  readonly max: number;
  /** now, in ms, of a clock that only advances */
  readonly nowMs?: () => number;
}

const min = 16;
const windowMs = 200;
const operationsPerWindowMin = 10;
/** Below this an operation is fast enough, whatever it takes without load. */
const durationMaxMs = 1000;
/** How many times as long as without load an operation may take. */
const slowdownMax = 3;
const decrease = 0.8;
const increase = 1.1;
/** The weight of one window in the duration without load. */
const calmWeight = 0.2;

/**
 * How many operations may run at the same time: additive and multiplicative steps, as TCP has them. It is lowered
 * when operations take long *because* many run: longer than a second, and than three times what they take while at
 * most half of the limit is in use. A payment provider that takes two seconds by itself lowers nothing. It is raised
 * when the limit was reached and operations were fast.
 */
export class AdaptiveLimit {
  readonly #max: number;
  readonly #nowMs: () => number;
  #limit: number;
  #running = 0;
  #windowStartMs: number;
  #peak = 0;
  #ended = 0;
  #endedMs = 0;
  #calmMs: number | undefined;

  constructor({ max, nowMs = () => performance.now() }: AdaptiveLimitOptions) {
    this.#max = max;
    this.#limit = max;
    this.#nowMs = nowMs;
    this.#windowStartMs = nowMs();
  }

  get limit(): number {
    return Math.floor(this.#limit);
  }

  get running(): number {
    return this.#running;
  }

  /** @returns false if as many as the limit run */
  start(): boolean {
    if (this.#running >= this.limit) return false;
    this.#running += 1;
    if (this.#running > this.#peak) this.#peak = this.#running;
    return true;
  }

  /** @param startedMs when the operation started, by the clock of this limit */
  end(startedMs: number): void {
    const nowMs = this.#nowMs();
    this.#running -= 1;
    this.#ended += 1;
    this.#endedMs += nowMs - startedMs;
    if (nowMs - this.#windowStartMs < windowMs || this.#ended < operationsPerWindowMin) return;
    this.#adapt(this.#endedMs / this.#ended);
    this.#windowStartMs = nowMs;
    this.#peak = this.#running;
    this.#ended = 0;
    this.#endedMs = 0;
  }

  /** An operation that was started here runs elsewhere. */
  leave(): void {
    this.#running -= 1;
  }

  #adapt(meanMs: number): void {
    if (this.#peak <= this.#limit / 2) {
      const calmMs = this.#calmMs ?? meanMs;
      this.#calmMs = calmMs + (meanMs - calmMs) * calmWeight;
    }
    const isSlow = meanMs > Math.max(durationMaxMs, slowdownMax * (this.#calmMs ?? 0));
    if (isSlow) {
      this.#limit = Math.max(Math.min(min, this.#max), this.#limit * decrease);
    } else if (this.#peak >= this.limit) {
      this.#limit = Math.min(this.#max, this.#limit * increase + 1);
    }
  }
}
