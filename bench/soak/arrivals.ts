import { setTimeout as sleep } from 'node:timers/promises';
import { percentile, rounded } from '../report.js';

/** The requests of one kind in one minute. */
export interface Latency {
  readonly requests: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Above this the system does not keep pace with the arrivals, so that a run would say nothing. */
const inFlightMax = 1000;
const drainMaxMs = 20_000;
const drainPollMs = 50;
const errorMaxChars = 500;

/** Starts work at constant rates, whether or not earlier work has ended, and measures its requests. */
export function createArrivals() {
  let latenciesMs = new Map<string, number[]>();
  const errors: string[] = [];
  let failed = 0;
  let inFlight = 0;
  let stopping = new AbortController();

  async function start(work: () => Promise<unknown>): Promise<void> {
    if (inFlight >= inFlightMax) throw new Error(`more than ${inFlightMax} arrivals at once`);
    inFlight += 1;
    try {
      await work();
    } finally {
      inFlight -= 1;
    }
  }
  const fail = (error: unknown) => {
    failed += 1;
    errors.push(String(error).slice(0, errorMaxChars));
  };
  return {
    /** Measures one request, which rejects if it fails. */
    async measure<T>(kind: string, send: () => Promise<T>): Promise<T> {
      const sentMs = performance.now();
      const result = await send();
      const all = latenciesMs.get(kind) ?? [];
      all.push(performance.now() - sentMs);
      latenciesMs.set(kind, all);
      return result;
    },
    /** Starts work so many times a second, at equal intervals, for some seconds. Failures are counted. */
    async arrive(perSecond: number, seconds: number, work: () => Promise<unknown>): Promise<void> {
      const startedMs = performance.now();
      for (let n = 0; n < perSecond * seconds; n++) {
        const dueMs = startedMs + (n * 1000) / perSecond;
        await sleep(Math.max(0, dueMs - performance.now()));
        start(work).catch(fail);
      }
      await sleep(Math.max(0, startedMs + seconds * 1000 - performance.now()));
    },
    /** Is aborted when the arrivals of a minute have ended: what stays open until then is to close. */
    closing: () => stopping.signal,
    /** Waits until nothing is in flight. */
    async drain(): Promise<void> {
      stopping.abort();
      const endMs = performance.now() + drainMaxMs;
      while (inFlight > 0 && performance.now() < endMs) await sleep(drainPollMs);
      if (inFlight > 0) throw new Error(`${inFlight} arrivals did not end`);
      stopping = new AbortController();
    },
    /** Kind → its latencies since the last call, and those of all kinds together. */
    takeLatencies(): Record<string, Latency> {
      const taken = [...latenciesMs];
      latenciesMs = new Map();
      const all = ['all requests', taken.flatMap(([, ms]) => ms)] as const;
      return Object.fromEntries(
        [...taken, all].map(([kind, ms]) => {
          const of = (share: number) => rounded(percentile(ms, share));
          return [kind, { requests: ms.length, p50Ms: of(0.5), p99Ms: of(0.99) }];
        }),
      );
    },
    failed: () => failed,
    lastError: () => errors.at(-1) ?? '',
  };
}
export type Arrivals = ReturnType<typeof createArrivals>;
