import type { Waiting } from './waiting-queue.js';

export interface BlockedOptions<Request, Outcome> {
  /** those whose rows other transactions have locked at this moment; does not wait for them */
  findBlocked(requests: readonly Request[]): Promise<readonly Request[]>;
  /** whether rows are still likely to be held for long: otherwise all may wait for them */
  isHeld(): boolean;
  /** called with requests that may be in a batch again, in order of arrival */
  freed(all: readonly Waiting<Request, Outcome>[]): void;
  /** called with requests that were set aside for too long */
  refused(all: readonly Waiting<Request, Outcome>[]): void;
}

/**
 * How long a request is set aside in all. Not shorter than rows are likely to be held after a lock timeout
 * (`HeldRows`): one whose rows are locked at each look, but never for long, gets into a batch again.
 */
const asideMaxMs = 1000;
const lookEveryMs = 100;

/**
 * Requests whose rows another transaction has locked, so that no batch waits for them. They are looked at
 * every `lookEveryMs`, without waiting for a lock, and freed once their rows are, or when a second has
 * passed since the last lock timeout. One whose rows are still locked `asideMaxMs` after it was first set
 * aside is refused: by a look, or by another lock timeout.
 */
export class BlockedRequests<Request, Outcome> {
  readonly #all = new Set<Waiting<Request, Outcome>>();
  readonly #sinceMs = new WeakMap<Waiting<Request, Outcome>, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: BlockedOptions<Request, Outcome>) {}

  get length(): number {
    return this.#all.size;
  }

  /** @param waited for a lock timeout */
  add(all: readonly Waiting<Request, Outcome>[], waited: boolean): void {
    const nowMs = performance.now();
    for (const each of all) {
      if (!this.#sinceMs.has(each)) this.#sinceMs.set(each, nowMs);
      this.#all.add(each);
    }
    if (waited) this.#refuseLate(all);
    if (this.#all.size > 0) this.#timer ??= setTimeout(() => void this.#look(), lookEveryMs);
  }

  async #look(): Promise<void> {
    const all = [...this.#all];
    const requests = all.map(({ request }) => request);
    const blocked = new Set(
      this.options.isHeld() ? await this.options.findBlocked(requests).catch(() => requests) : [],
    );
    const freed = all.filter(({ request }) => !blocked.has(request));
    for (const each of freed) this.#all.delete(each);
    this.#refuseLate(all.filter(({ request }) => blocked.has(request)));
    this.#timer = undefined;
    if (this.#all.size > 0) this.#timer = setTimeout(() => void this.#look(), lookEveryMs);
    if (freed.length > 0) this.options.freed(freed);
  }

  #refuseLate(blocked: readonly Waiting<Request, Outcome>[]): void {
    const sinceMaxMs = performance.now() - asideMaxMs;
    const late = blocked.filter((each) => (this.#sinceMs.get(each) ?? Infinity) <= sinceMaxMs);
    for (const each of late) this.#all.delete(each);
    if (late.length > 0) this.options.refused(late);
  }
}
