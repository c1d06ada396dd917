import type { DispatcherLimits } from './dispatcher-limits.js';

/** A request that waits for its batch, and who is told. */
export interface Waiting<Request, Outcome> {
  readonly request: Request;
  readonly keys: readonly string[];
  readonly enqueuedMs: number;
  resolve(outcome: Outcome): void;
  reject(error: unknown): void;
}

/** Requests in the order in which they came; batches are selected from it, first in first out. */
export class WaitingQueue<Request, Outcome> {
  #queue: Waiting<Request, Outcome>[] = [];

  constructor(private readonly limits: Pick<DispatcherLimits, 'batchMax' | 'keysPerBatchMax'>) {}

  get length(): number {
    return this.#queue.length;
  }

  push(waiting: Waiting<Request, Outcome>): void {
    this.#queue.push(waiting);
  }

  /**
   * The next batch of what touches none but keys that may be taken. One that waits keeps its keys from
   * those behind it.
   */
  select(mayTake: (key: string) => boolean): Waiting<Request, Outcome>[] {
    const { batchMax, keysPerBatchMax } = this.limits;
    const passedOver = new Set<string>();
    const keys = new Set<string>();
    const batch: Waiting<Request, Outcome>[] = [];
    for (const waiting of this.#queue) {
      if (batch.length === batchMax) break;
      if (waiting.keys.every((key) => mayTake(key) && !passedOver.has(key))) {
        const added = waiting.keys.filter((key) => !keys.has(key));
        if (batch.length > 0 && keys.size + added.length > keysPerBatchMax) break;
        for (const key of added) keys.add(key);
        batch.push(waiting);
      } else {
        for (const key of waiting.keys) passedOver.add(key);
      }
    }
    return batch;
  }

  selectFrom(keys: readonly string[]): Waiting<Request, Outcome>[] {
    const allowed = new Set(keys);
    return this.select((key) => allowed.has(key));
  }

  /** As `selectFrom`, and they do not wait any more. */
  take(keys: readonly string[]): Waiting<Request, Outcome>[] {
    const batch = this.selectFrom(keys);
    const taken = new Set(batch);
    this.#queue = this.#queue.filter((waiting) => !taken.has(waiting));
    return batch;
  }

  /** Takes out those that came before that moment (`performance.now()`). */
  removeBefore(latestMs: number): Waiting<Request, Outcome>[] {
    const isMeant = ({ enqueuedMs }: Waiting<Request, Outcome>) => enqueuedMs < latestMs;
    const meant = this.#queue.filter(isMeant);
    if (meant.length > 0) this.#queue = this.#queue.filter((waiting) => !isMeant(waiting));
    return meant;
  }
}
