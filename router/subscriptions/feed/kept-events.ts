import { isDeepStrictEqual } from 'node:util';
import type { ExecutionResult } from 'graphql';
import type { Result } from './client-stream.js';

export interface KeptEvent {
  readonly event: ExecutionResult;
  readonly result: Result;
  readonly processedAtMs: number;
  /** whether the present connection has sent an event of the entity */
  readonly isConfirmed: boolean;
}

export const ageMs = ({ processedAtMs }: KeptEvent) => Date.now() - processedAtMs;

/** The latest event of each entity and its result, of at most `max` entities. */
export class KeptEvents {
  readonly #byKey = new Map<string, KeptEvent>();
  #isComplete = true;

  constructor(private readonly max: number) {}

  /** false if an event could not be kept, so that the events are no snapshot */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  get size(): number {
    return this.#byKey.size;
  }

  get(key: string): KeptEvent | undefined {
    return this.#byKey.get(key);
  }

  has(key: string): boolean {
    return this.#byKey.has(key);
  }

  [Symbol.iterator](): IterableIterator<[string, KeptEvent]> {
    return this.#byKey.entries();
  }

  /**
   * Replaces the event of an entity.
   *
   * @returns whether its result differs from the last one, or there was none
   */
  keep(key: string | null, event: ExecutionResult, result: Result): boolean {
    const previous = key === null ? undefined : this.#byKey.get(key);
    const isFull = !previous && this.#byKey.size >= this.max && !this.#removeUnconfirmed();
    if (key === null || isFull) this.#isComplete = false;
    else this.#byKey.set(key, { event, result, processedAtMs: Date.now(), isConfirmed: true });
    return !previous || !isSame(previous.result, result);
  }

  /**
   * A snapshot follows. Until its event of an entity has come, the last one serves only to find whether
   * anything changed; entities that the previous snapshot did not have are removed.
   */
  reconnected(): void {
    for (const [key, kept] of this.#byKey) {
      if (kept.isConfirmed) this.#byKey.set(key, { ...kept, isConfirmed: false });
      else this.#byKey.delete(key);
    }
    this.#isComplete = true;
  }

  clear(): void {
    this.#byKey.clear();
  }

  #removeUnconfirmed(): boolean {
    for (const [key, { isConfirmed }] of this.#byKey) {
      if (!isConfirmed) return this.#byKey.delete(key);
    }
    return false;
  }
}

/** Whether clients see the same: the extensions of errors also have the id of each request. */
function isSame(a: Result, b: Result): boolean {
  return isDeepStrictEqual(a.data, b.data) && isDeepStrictEqual(errorsOf(a), errorsOf(b));
}

const errorsOf = ({ errors = [] }: Result) =>
  errors.map(({ message, path, extensions }) => [message, path, extensions?.code]);
