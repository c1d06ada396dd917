/** A source of work, such as the pending events of one feed. */
export interface Lane {
  /** Begins its next work. @returns undefined if it has none that may begin now */
  begin(): Promise<void> | undefined;
  /** Its work failed unexpectedly. It gets no further turn unless it is offered again. */
  failed(error: unknown): void;
}

/**
 * Bounds how much work of all lanes runs at once. Lanes take turns, so that one with ten thousand pieces of
 * work delays each piece of another by one round only.
 */
export class FairSemaphore {
  /** lanes that may have work, in the order of their turns */
  readonly #turns = new Set<Lane>();
  #running = 0;
  #isStarting = false;

  constructor(private readonly max: number) {}

  /** The lane has work that may begin. It gets turns until it has none. */
  offer(lane: Lane): void {
    this.#turns.add(lane);
    this.#start();
  }

  /** The lane gets no further turn. Its running work counts until it ends. */
  remove(lane: Lane): void {
    this.#turns.delete(lane);
  }

  get running(): number {
    return this.#running;
  }

  /** number of lanes that wait for a turn */
  get waiting(): number {
    return this.#turns.size;
  }

  #start(): void {
    // Work that ends, or is offered, while a lane begins its own must not take another turn meanwhile.
    if (this.#isStarting) return;
    this.#isStarting = true;
    for (const lane of this.#turns) {
      if (this.#running >= this.max) break;
      this.#turns.delete(lane);
      this.#begin(lane);
    }
    this.#isStarting = false;
  }

  #begin(lane: Lane): void {
    const fail = (error: unknown) => {
      this.#turns.delete(lane);
      lane.failed(error);
    };
    try {
      const work = lane.begin();
      if (!work) return;
      this.#running += 1;
      this.#turns.add(lane);
      void work.catch(fail).finally(() => {
        this.#running -= 1;
        this.#start();
      });
    } catch (error) {
      fail(error);
    }
  }
}
