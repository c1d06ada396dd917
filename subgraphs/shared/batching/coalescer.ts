import { tryAgain } from '../errors.js';

export interface CoalesceLimits {
  /** requests in one batch */
  readonly batchMax: number;
  /** batches in flight at the same time */
  readonly inFlightMax: number;
  /** requests that wait for a batch; any more are rejected at once */
  readonly queueMax: number;
  /** how long a request may wait for its batch to be sent; by default as long as its timeout */
  readonly waitMaxMs?: number;
}

const lateCheckMs = 100;
const limitsDefault: CoalesceLimits = { batchMax: 128, inFlightMax: 8, queueMax: 4096 };

/** Sends a batch. Returns an outcome for each request, in order; an `Error` rejects that request. */
export type Batch<Request, Outcome> = (
  requests: readonly Request[],
) => Promise<readonly (Outcome | Error)[]>;

interface Member<Request, Outcome> {
  readonly request: Request;
  readonly enqueuedMs: number;
  /** 0 once it was refused: its timer may be a little early by this clock */
  deadlineMs: number;
  resolve(outcome: Outcome): void;
  reject(error: unknown): void;
}

/**
 * Combines requests that are submitted at the same time into batches. While fewer than `inFlightMax`
 * batches are in flight, a request is sent at the end of the current turn of the event loop; otherwise
 * as soon as one of them completes, together with all that were submitted in the meantime.
 */
export class Coalescer<Request, Outcome> {
  readonly #send: Batch<Request, Outcome>;
  readonly #limits: CoalesceLimits;
  #queue: Member<Request, Outcome>[] = [];
  #inFlight = 0;
  #scheduled = false;
  #lateCheck: NodeJS.Timeout | undefined;

  /** @param send if it throws, all requests of the batch are rejected with that error */
  constructor(send: Batch<Request, Outcome>, limits: Partial<CoalesceLimits> = {}) {
    this.#send = send;
    this.#limits = { ...limitsDefault, ...limits };
  }

  /**
   * @param timeoutMs of this request, independent of its batch
   * @throws `TRY_AGAIN` if the queue is full, if the request waits too long for its batch, or after the timeout; only
   *   after the timeout it may have been processed
   */
  submit(request: Request, timeoutMs: number): Promise<Outcome> {
    if (this.#queue.length >= this.#limits.queueMax) return Promise.reject(busy());
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        member.deadlineMs = 0;
        reject(busy());
      }, timeoutMs);
      const clearing =
        <T>(next: (value: T) => void) =>
        (value: T) => {
          clearTimeout(timer);
          next(value);
        };
      const enqueuedMs = performance.now();
      const member: Member<Request, Outcome> = {
        request,
        enqueuedMs,
        deadlineMs: enqueuedMs + timeoutMs,
        resolve: clearing(resolve),
        reject: clearing(reject),
      };
      this.#queue.push(member);
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#scheduled || this.#queue.length === 0) return;
    if (this.#inFlight >= this.#limits.inFlightMax) {
      this.#watchForLate();
      return;
    }
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      const batch = this.#take();
      if (batch.length > 0) void this.#run(batch);
      this.#schedule();
    });
  }

  #watchForLate(): void {
    const { waitMaxMs } = this.#limits;
    if (waitMaxMs === undefined) return;
    this.#lateCheck ??= setInterval(() => this.#refuseLate(waitMaxMs), lateCheckMs).unref();
  }

  #refuseLate(waitMaxMs: number): void {
    const latestMs = performance.now() - waitMaxMs;
    // They are in order of arrival.
    while ((this.#queue[0]?.enqueuedMs ?? Infinity) < latestMs) this.#queue.shift()?.reject(busy());
    if (this.#queue.length > 0) return;
    clearInterval(this.#lateCheck);
    this.#lateCheck = undefined;
  }

  /** Leaves out requests that have timed out. */
  #take(): Member<Request, Outcome>[] {
    const nowMs = performance.now();
    const waiting = this.#queue.filter(({ deadlineMs }) => deadlineMs > nowMs);
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
      this.#schedule();
    }
  }
}

const busy = () => tryAgain('Service temporarily unavailable. Please retry.');
