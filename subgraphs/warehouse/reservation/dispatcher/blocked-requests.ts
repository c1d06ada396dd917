import type { Waiting } from './waiting-queue.js';

export interface BlockedOptions<Request, Outcome> {
  /** those whose rows other transactions have locked at this moment; does not wait for them */
  findBlocked(requests: readonly Request[]): Promise<readonly Request[]>;
  /** called with requests whose rows are free again, in order of arrival */
  freed(all: readonly Waiting<Request, Outcome>[]): void;
  /** called with requests whose rows were locked for too long */
  refused(all: readonly Waiting<Request, Outcome>[]): void;
}

/** How long a request is set aside in all. */
const asideMaxMs = 900;
const lookEveryMs = 100;

/**
 * Requests whose rows another transaction has locked, so that no batch waits for them. They are looked at
 * every `lookEveryMs`, without waiting for a lock. Each leaves in one of two ways: freed, into the queue
 * again, where it may be set aside once more; or refused, `asideMaxMs` after it was set aside first.
 */
export class BlockedRequests<Request, Outcome> {
  #all: Waiting<Request, Outcome>[] = [];
  readonly #sinceMs = new WeakMap<Waiting<Request, Outcome>, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: BlockedOptions<Request, Outcome>) {}

  get length(): number {
    return this.#all.length;
  }

  has(waiting: Waiting<Request, Outcome>): boolean {
    return this.#sinceMs.has(waiting);
  }

  add(all: readonly Waiting<Request, Outcome>[]): void {
    const nowMs = performance.now();
    for (const each of all) this.#sinceMs.set(each, this.#sinceMs.get(each) ?? nowMs);
    this.#all.push(...all);
    this.#all.sort((a, b) => a.enqueuedMs - b.enqueuedMs);
    this.#timer ??= setTimeout(() => void this.#look(), lookEveryMs);
  }

  async #look(): Promise<void> {
    const all = this.#all;
    const requests = all.map(({ request }) => request);
    const blocked = new Set(await this.options.findBlocked(requests).catch(() => requests));
    const added = this.#all.filter((each) => !all.includes(each));
    const isLate = (each: Waiting<Request, Outcome>) =>
      performance.now() - (this.#sinceMs.get(each) ?? 0) >= asideMaxMs;
    const still = all.filter(({ request }) => blocked.has(request));
    this.#all = [...still.filter((each) => !isLate(each)), ...added];
    this.#timer = undefined;
    if (this.#all.length > 0) this.#timer = setTimeout(() => void this.#look(), lookEveryMs);
    this.options.refused(still.filter(isLate));
    this.options.freed(all.filter(({ request }) => !blocked.has(request)));
  }
}
