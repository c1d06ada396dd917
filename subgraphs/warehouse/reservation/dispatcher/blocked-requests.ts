import type { Waiting } from './waiting-queue.js';

export interface BlockedOptions<Request, Outcome> {
  /** those whose rows other transactions have locked at this moment; does not wait for them */
  findBlocked(requests: readonly Request[]): Promise<readonly Request[]>;
  /** whether rows are still likely to be held for long: otherwise all may wait for them */
  isHeld(): boolean;
  /** called with requests that may be in a batch again, in order of arrival */
  freed(all: readonly Waiting<Request, Outcome>[]): void;
}

/** How long a request is set aside in all, before another lock timeout refuses it. */
const asideMaxMs = 900;
const lookEveryMs = 100;

/**
 * Requests whose rows another transaction has locked, so that no batch waits for them. They are looked at
 * every `lookEveryMs`, without waiting for a lock, and freed once their rows are, or when a second has
 * passed since the last lock timeout. A request that is set aside again is refused after `asideMaxMs`.
 */
export class BlockedRequests<Request, Outcome> {
  readonly #all = new Set<Waiting<Request, Outcome>>();
  readonly #sinceMs = new WeakMap<Waiting<Request, Outcome>, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: BlockedOptions<Request, Outcome>) {}

  get length(): number {
    return this.#all.size;
  }

  /** @returns those that were set aside for too long already, and are not any more */
  add(all: readonly Waiting<Request, Outcome>[], waited: boolean): Waiting<Request, Outcome>[] {
    const nowMs = performance.now();
    const late = all.filter(
      (each) => waited && nowMs - (this.#sinceMs.get(each) ?? nowMs) >= asideMaxMs,
    );
    for (const each of all) {
      if (late.includes(each)) continue;
      this.#sinceMs.set(each, this.#sinceMs.get(each) ?? nowMs);
      this.#all.add(each);
    }
    if (this.#all.size > 0) this.#timer ??= setTimeout(() => void this.#look(), lookEveryMs);
    return late;
  }

  async #look(): Promise<void> {
    const all = [...this.#all];
    const requests = all.map(({ request }) => request);
    const blocked = new Set(
      this.options.isHeld() ? await this.options.findBlocked(requests).catch(() => requests) : [],
    );
    const freed = all.filter(({ request }) => !blocked.has(request));
    for (const each of freed) this.#all.delete(each);
    this.#timer = undefined;
    if (this.#all.size > 0) this.#timer = setTimeout(() => void this.#look(), lookEveryMs);
    if (freed.length > 0) this.options.freed(freed);
  }
}
