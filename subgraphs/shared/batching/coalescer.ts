import { tryAgain } from '../errors.js';

export interface CoalesceLimits {
  /** requests in one batch */
  readonly batchMax: number;
  /** batches that are under way at the same time */
  readonly inFlightMax: number;
  /** requests that wait for a batch; one more is refused at once */
  readonly queueMax: number;
}

const limitsDefault: CoalesceLimits = { batchMax: 128, inFlightMax: 8, queueMax: 4096 };

/** What became of one member of a batch: an `Error` is thrown to who asked for it. */
export type Batch<Request, Outcome> = (
  requests: readonly Request[],
) => Promise<readonly (Outcome | Error)[]>;

interface Member<Request, Outcome> {
  readonly request: Request;
  readonly latestMs: number;
  resolve(outcome: Outcome): void;
  reject(error: unknown): void;
}

/**
 * Makes one call of what is asked at the same time: as long as few calls are under way a request goes
 * at the end of the turn of the event loop it came in; then, with all that came meanwhile, once one
 * of them is back.
 */
export class Coalescer<Request, Outcome> {
  readonly #send: Batch<Request, Outcome>;
  readonly #limits: CoalesceLimits;
  #queue: Member<Request, Outcome>[] = [];
  #inFlight = 0;
  #waking = false;

  /** @param send gives an outcome for each, in their order; what it throws is thrown to all */
  constructor(send: Batch<Request, Outcome>, limits: Partial<CoalesceLimits> = {}) {
    this.#send = send;
    this.#limits = { ...limitsDefault, ...limits };
  }

  /**
   * @param withinMs the member's own deadline, whatever becomes of its batch
   * @throws `TRY_AGAIN` when too many wait, or the time is up; it may have been done then
   */
  submit(request: Request, withinMs: number): Promise<Outcome> {
    if (this.#queue.length >= this.#limits.queueMax) return Promise.reject(late());
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(late()), withinMs);
      const settle =
        <T>(how: (value: T) => void) =>
        (value: T) => {
          clearTimeout(timer);
          how(value);
        };
      const latestMs = performance.now() + withinMs;
      this.#queue.push({ request, latestMs, resolve: settle(resolve), reject: settle(reject) });
      this.#wake();
    });
  }

  #wake(): void {
    if (this.#waking || this.#queue.length === 0) return;
    if (this.#inFlight >= this.#limits.inFlightMax) return;
    this.#waking = true;
    setImmediate(() => {
      this.#waking = false;
      const batch = this.#take();
      if (batch.length > 0) void this.#run(batch);
      this.#wake();
    });
  }

  /** Who gave up meanwhile is not asked for any more. */
  #take(): Member<Request, Outcome>[] {
    const nowMs = performance.now();
    const waiting = this.#queue.filter(({ latestMs }) => latestMs > nowMs);
    this.#queue = waiting.slice(this.#limits.batchMax);
    return waiting.slice(0, this.#limits.batchMax);
  }

  async #run(batch: readonly Member<Request, Outcome>[]): Promise<void> {
    this.#inFlight += 1;
    try {
      const outcomes = await this.#send(batch.map(({ request }) => request));
      for (const [n, { resolve, reject }] of batch.entries()) {
        const outcome = outcomes[n];
        if (outcome instanceof Error) reject(outcome);
        else resolve(outcome as Outcome);
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      this.#inFlight -= 1;
      this.#wake();
    }
  }
}

const late = () => tryAgain('A part of the system is busy; ask again.');
