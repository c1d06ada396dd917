import type { Refreshable, RefreshPace } from './refresh-pace.js';

interface RefreshesOptions {
  /** shared by all feeds */
  readonly pace: RefreshPace;
  /** whether there is room for one more event: what waits anyway must not end the feed for lack of it */
  hasRoom(): boolean;
  /** Completes the latest event of an entity again. */
  refresh(key: string): void;
}

/**
 * When a feed completes the latest events of entities again: soon for clients that have joined, and at the pace of
 * all feeds where data of other subgraphs may have changed, or one of them did not answer.
 */
export class Refreshes implements Refreshable {
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #waiting = new Set<string>();

  constructor(private readonly options: RefreshesOptions) {}

  /** Once for all clients that join before it. */
  soon(key: string, delayMs: number): void {
    if (this.#timers.has(key)) return;
    const refresh = () => {
      this.#timers.delete(key);
      this.options.refresh(key);
    };
    if (delayMs > 0) this.#timers.set(key, setTimeout(refresh, delayMs));
    else refresh();
  }

  later(key: string): void {
    this.#waiting.add(key);
    this.options.pace.offer(this);
  }

  refreshNext(): boolean {
    const [key] = this.#waiting;
    if (key !== undefined && this.options.hasRoom()) {
      this.#waiting.delete(key);
      this.options.refresh(key);
    }
    return this.#waiting.size > 0;
  }

  /** For an entity that is completed anyway. */
  cancel(key: string): void {
    this.#waiting.delete(key);
  }

  clear(): void {
    this.#waiting.clear();
    this.options.pace.remove(this);
    for (const timer of this.#timers.values()) clearTimeout(timer);
  }
}
