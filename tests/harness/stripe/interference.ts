import { ended } from '../wait.js';
import type { Answer } from './answers.js';

/**
 * - an answer: not executed, but stored under the key of the request;
 * - `500`: not executed, but stored under the key of the request;
 * - `500 after execution`: executed, and answered and stored as a fault;
 * - `no response`: not executed, never answered; `reset` closes the connection instead;
 * - `done, no response`: executed and stored, never answered; `done, reset` likewise;
 * - `lock_timeout`, `429`: not executed, not stored.
 */
export type Fault =
  | '500'
  | '500 after execution'
  | 'no response'
  | 'reset'
  | 'done, no response'
  | 'done, reset'
  | 'lock_timeout'
  | '429'
  | Answer;

/** A request that is kept from being executed. */
export interface Hold {
  /** resolves once the request arrived; rejects, and holds nothing any more, if it does not within a minute */
  readonly arrived: Promise<void>;
  /** Executes the request and answers it. */
  release(): void;
}

/** Requests per second that are allowed; null for no limit. */
export interface RateLimits {
  readsPerSecond: number | null;
  writesPerSecond: number | null;
}

const everyRequest = /^/;
const arrivalMaxMs = 60_000;

/** What tests do to the requests of a server: faults, delays and rate limits. */
export function createInterference() {
  const faults: { readonly pattern: RegExp; readonly fault: Fault }[] = [];
  const holds: { readonly pattern: RegExp; arrive(): void; readonly released: Promise<void> }[] =
    [];
  const limits: RateLimits = { readsPerSecond: null, writesPerSecond: null };
  const buckets = { readsPerSecond: createBucket(), writesPerSecond: createBucket() };

  /** Removes and returns the first entry for a request such as `POST /v1/refunds`. */
  function take<T extends { pattern: RegExp }>(entries: T[], request: string): T | undefined {
    const at = entries.findIndex(({ pattern }) => pattern.test(request));
    return at < 0 ? undefined : entries.splice(at, 1)[0];
  }

  return {
    limits,
    failNext: (...next: Fault[]) =>
      void faults.push(...next.map((fault) => ({ pattern: everyRequest, fault }))),
    failNextOf: (pattern: RegExp, ...next: Fault[]) =>
      void faults.push(...next.map((fault) => ({ pattern, fault }))),
    faultsLeft: () => faults.length,
    holdNext(pattern: RegExp = everyRequest): Hold {
      const arrival = Promise.withResolvers<void>();
      const release = Promise.withResolvers<void>();
      const hold = { pattern, arrive: arrival.resolve, released: release.promise };
      holds.push(hold);
      // A hold that nobody waits for any more must not take the request of a later test.
      const arrived = ended(`the wait for a request ${pattern}`, arrival.promise, arrivalMaxMs);
      arrived.catch(() => {
        const at = holds.indexOf(hold);
        if (at >= 0) holds.splice(at, 1);
      });
      return { arrived, release: release.resolve };
    },
    takeFault: (request: string) => take(faults, request)?.fault,
    /** Resolves once a test released the request; null if none holds it. */
    takeHold(request: string): Promise<void> | null {
      const hold = take(holds, request);
      hold?.arrive();
      return hold?.released ?? null;
    },
    isOverLimit(method: string): boolean {
      const kind = method === 'GET' ? 'readsPerSecond' : 'writesPerSecond';
      const rate = limits[kind];
      return rate !== null && !buckets[kind].take(rate);
    },
  };
}

/** A token bucket that holds the tokens of one second. */
function createBucket() {
  let tokens = Number.POSITIVE_INFINITY;
  let filledAtMs = performance.now();
  return {
    take(perSecond: number): boolean {
      const nowMs = performance.now();
      tokens = Math.min(perSecond, tokens + ((nowMs - filledAtMs) / 1000) * perSecond);
      filledAtMs = nowMs;
      if (tokens < 1) return false;
      tokens--;
      return true;
    },
  };
}
