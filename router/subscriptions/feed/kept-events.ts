import { isDeepStrictEqual } from 'node:util';
import type { ExecutionResult } from 'graphql';
import type { Result } from './client-stream.js';

export interface KeptEvent {
  readonly event: ExecutionResult;
  readonly result: Result;
  readonly processedAtMs: number;
  /** when it was completed with errors last; undefined if never */
  readonly failedAtMs: number | undefined;
  /** whether the present connection has sent an event of the entity */
  readonly isConfirmed: boolean;
}

export const ageMs = ({ processedAtMs }: KeptEvent) => Date.now() - processedAtMs;
export const sinceFailureMs = ({ failedAtMs }: KeptEvent) =>
  failedAtMs === undefined ? Number.POSITIVE_INFINITY : Date.now() - failedAtMs;

/** The latest event of each entity and its result, of at most `max` entities. */
export class KeptEvents {
  /** unconfirmed ones first */
  readonly #byKey = new Map<string, KeptEvent>();
  #isComplete = true;
  #wasFull = false;

  constructor(private readonly max: number) {}

  /** false if an event could not be kept, so that the events are no snapshot */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** whether there were ever more entities than are kept, so that one that is not kept may have been seen before */
  get wasFull(): boolean {
    return this.#wasFull;
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
   * @param isConfirmed whether the present connection has sent it
   * @returns whether its result differs from the last one, or there was none
   */
  keep(key: string | null, event: ExecutionResult, result: Result, isConfirmed = true): boolean {
    const previous = key === null ? undefined : this.#byKey.get(key);
    if (previous?.isConfirmed === false) this.#byKey.delete(key as string);
    if (key === null || !(previous || this.#makeRoom())) this.#isComplete = false;
    else {
      const processedAtMs = Date.now();
      const failedAtMs = result.errors && processedAtMs;
      this.#byKey.set(key, { event, result, processedAtMs, failedAtMs, isConfirmed });
    }
    return !previous || !isSame(previous.result, result);
  }

  /**
   * Confirms the kept event of an entity if the present connection has sent the same one again. Its result stays as
   * old as it is.
   *
   * @returns whether it did; never if the kept result has errors
   */
  confirm(key: string, event: ExecutionResult): boolean {
    const kept = this.#byKey.get(key);
    if (!kept || kept.isConfirmed || kept.result.errors) return false;
    if (!isDeepStrictEqual(kept.event, event)) return false;
    this.#byKey.delete(key);
    this.#byKey.set(key, { ...kept, isConfirmed: true });
    return true;
  }

  /**
   * Keeps the result of an entity although it was completed again, with errors.
   *
   * @param isConfirmed whether the present connection has sent its event
   */
  completionFailed(key: string, isConfirmed: boolean): void {
    const kept = this.#byKey.get(key);
    if (kept) this.#byKey.set(key, { ...kept, failedAtMs: Date.now() });
    if (isConfirmed) this.confirmLatest(key);
  }

  /** Confirms the kept event of an entity of which the present connection has sent an older one. */
  confirmLatest(key: string): void {
    const kept = this.#byKey.get(key);
    if (!kept || kept.isConfirmed) return;
    this.#byKey.delete(key);
    this.#byKey.set(key, { ...kept, isConfirmed: true });
  }

  /**
   * A snapshot follows. Until its event of an entity has come, the last one serves only to find whether
   * anything changed, and which version clients have. It stays while there is room, since a connection may be lost
   * again before its snapshot is complete.
   */
  reconnected(): void {
    for (const [key, kept] of this.#byKey) {
      if (kept.isConfirmed) this.#byKey.set(key, { ...kept, isConfirmed: false });
    }
    this.#isComplete = true;
  }

  clear(): void {
    this.#byKey.clear();
  }

  /** Removes an unconfirmed event if the buffer is full. @returns whether there is room */
  #makeRoom(): boolean {
    if (this.#byKey.size < this.max) return true;
    this.#wasFull = true;
    const [first] = this.#byKey;
    return first?.[1].isConfirmed === false && this.#byKey.delete(first[0]);
  }
}

/** Whether clients see the same: the extensions of errors also have the id of each request. */
function isSame(a: Result, b: Result): boolean {
  return isDeepStrictEqual(a.data, b.data) && isDeepStrictEqual(errorsOf(a), errorsOf(b));
}

const errorsOf = ({ errors = [] }: Result) =>
  errors.map(({ message, path, extensions }) => [message, path, extensions?.code]);
