import { tryAgain } from '../errors.js';
import { deadlines } from '../resilience/deadlines.js';

export interface CoalesceLimits {
  /** requests in one batch */
  readonly batchMax: number;
  /** batches in flight at the same time */
  readonly inFlightMax: number;
  /**
   * A further batch is sent beside others when it is full, or the latest of them was sent so long ago, in ms: batches
   * are larger, and a slow one does not hold up all others. By default at once
   */
  readonly besideAfterMs?: number;
  /** requests that wait for a batch; any more are rejected at once */
  readonly queueMax: number;
  /** how long a request may wait for its batch to be sent; by default as long as its timeout */
  readonly waitMaxMs?: number;
}

const limitsDefault: CoalesceLimits = { batchMax: 128, inFlightMax: 8, queueMax: 4096 };

/** Sends a batch. Returns an outcome for each request, in order; an `Error` rejects that request. */
export type Batch<Request, Outcome> = (
  requests: readonly Request[],
) => Promise<readonly (Outcome | Error)[]>;

interface Member<Request, Outcome> {
  readonly request: Request;
  /** from then on it is awaited until its timeout */
  isSent: boolean;
  deadlineMs(): number;
  expire(): void;
  resolve(outcome: Outcome): void;
  reject(error: unknown): void;
}

/**
 * Combines requests that are submitted at the same time into batches. While fewer than `inFlightMax`
 * batches are in flight, and none since less than `besideAfterMs`, a request is sent at the end of the current turn
 * of the event loop; otherwise as soon as that is so, together with all that were submitted in the meantime.
 */
export class Coalescer<Request, Outcome> {
  readonly #send: Batch<Request, Outcome>;
  readonly #limits: CoalesceLimits;
  /** in order of arrival; without those that have expired */
  readonly #queue = new Set<Member<Request, Outcome>>();
  #inFlight = 0;
  #scheduled = false;
  #latestSentMs = 0;
  #later: NodeJS.Timeout | undefined;

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
    const { queueMax, waitMaxMs = Number.POSITIVE_INFINITY } = this.#limits;
    if (this.#queue.size >= queueMax) return Promise.reject(busy());
    return new Promise((resolve, reject) => {
      const nowMs = performance.now();
      const timeoutAtMs = nowMs + timeoutMs;
      const startAtMs = Math.min(timeoutAtMs, nowMs + waitMaxMs);
      const member: Member<Request, Outcome> = {
        request,
        isSent: false,
        deadlineMs: () => (member.isSent ? timeoutAtMs : startAtMs),
        expire: () => {
          this.#queue.delete(member);
          reject(busy());
        },
        resolve,
        reject,
      };
      deadlines.add(member);
      this.#queue.add(member);
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#scheduled || this.#queue.size === 0) return;
    if (this.#inFlight >= this.#limits.inFlightMax || this.#waitsForLatest()) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      const batch = this.#take();
      if (batch.length > 0) void this.#run(batch);
      this.#schedule();
    });
  }

  /** Whether requests wait for the latest batch, for a while. */
  #waitsForLatest(): boolean {
    const { besideAfterMs = 0, batchMax } = this.#limits;
    const waitMs = this.#latestSentMs + besideAfterMs - performance.now();
    if (this.#inFlight === 0 || this.#queue.size >= batchMax || waitMs <= 0) return false;
    this.#later ??= setTimeout(() => {
      this.#later = undefined;
      this.#schedule();
    }, waitMs);
    return true;
  }

  /** Refuses requests that have timed out. */
  #take(): Member<Request, Outcome>[] {
    const nowMs = performance.now();
    const batch: Member<Request, Outcome>[] = [];
    for (const member of this.#queue) {
      if (batch.length === this.#limits.batchMax) break;
      if (member.deadlineMs() <= nowMs) {
        deadlines.delete(member);
        member.expire();
        continue;
      }
      this.#queue.delete(member);
      member.isSent = true;
      batch.push(member);
    }
    return batch;
  }

  async #run(batch: readonly Member<Request, Outcome>[]): Promise<void> {
    this.#inFlight += 1;
    const sentMs = performance.now();
    this.#latestSentMs = sentMs;
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
      for (const member of batch) deadlines.delete(member);
      this.#inFlight -= 1;
      if (this.#latestSentMs === sentMs) this.#latestSentMs = Number.NEGATIVE_INFINITY;
      this.#schedule();
    }
  }
}

const busy = () => tryAgain('Service temporarily unavailable. Please retry.');
