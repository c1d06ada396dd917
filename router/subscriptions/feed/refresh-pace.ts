/** A feed with entities whose results may be out of date. */
export interface Refreshable {
  /** Starts completing the next of them again. @returns whether there may be more */
  refreshNext(): boolean;
}

const everyMs = 500;
const perInterval = 64;

/**
 * Lets feeds refresh what is not urgent: 128 entities a second in all, in turn. They are begun together, since a few
 * large requests cost the subgraphs less than many small ones.
 */
export class RefreshPace {
  readonly #turns = new Set<Refreshable>();
  #timer: NodeJS.Timeout | undefined;

  offer(feed: Refreshable): void {
    this.#turns.add(feed);
    this.#timer ??= setInterval(() => this.#refresh(), everyMs);
  }

  remove(feed: Refreshable): void {
    this.#turns.delete(feed);
    this.#stopIfIdle();
  }

  #stopIfIdle(): void {
    if (this.#turns.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #refresh(): void {
    let begun = 0;
    for (const feed of this.#turns) {
      if (begun === perInterval) return;
      begun += 1;
      this.#turns.delete(feed);
      if (feed.refreshNext()) this.#turns.add(feed); // behind the others
    }
    this.#stopIfIdle();
  }
}
