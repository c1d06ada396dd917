import { NotDone } from './payment-provider.js';

// Background requests take a token only while this share of the bucket is left.
const reservedShare = 0.25;
const pauseMs = 500;
// By so much of the time to wait a turn may be late: timers are, too.
const lateShareMax = 0.05;

/** The budget does not allow a request in time. */
export class OverBudget extends NotDone {}

export interface RequestBucket {
  /**
   * Takes a token, or waits for one: urgent requests first, each kind in order of arrival.
   *
   * @returns undefined if it was there; else the time waited, in ms
   * @throws OverBudget at once if it would take longer than `waitMaxMs`; it rejects with it if it took longer
   */
  take(isUrgent: boolean, waitMaxMs: number): Promise<number> | undefined;
  /** Stops for 0.25 to 0.75 s, and starts again empty: the provider had too many requests. */
  pause(): void;
}

interface Waiter {
  readonly sinceMs: number;
  readonly untilMs: number;
  resolve(waitedMs: number): void;
  reject(error: OverBudget): void;
}

/** A token bucket that holds the requests of one second. All callers of one bucket wait equally long at most. */
export function createRequestBucket(perSecond: number): RequestBucket {
  const size = Math.max(1, perSecond);
  const backgroundMin = Math.max(1, size * reservedShare);
  const urgent: Waiter[] = [];
  const background: Waiter[] = [];
  let tokens = size;
  /** later than now during a pause */
  let filledAtMs = performance.now();
  let timer: NodeJS.Timeout | undefined;

  function fill(): number {
    const nowMs = performance.now();
    if (nowMs > filledAtMs) {
      tokens = Math.min(size, tokens + ((nowMs - filledAtMs) / 1000) * perSecond);
      filledAtMs = nowMs;
    }
    return nowMs;
  }

  /** @param count how many tokens there have to be */
  const msUntil = (count: number, nowMs: number) =>
    Math.max(0, filledAtMs - nowMs) + ((count - tokens) / perSecond) * 1000;

  function serve(): void {
    const nowMs = fill();
    serveLane(urgent, 1, nowMs);
    serveLane(background, urgent.length > 0 ? Number.POSITIVE_INFINITY : backgroundMin, nowMs);
    schedule(nowMs);
  }

  function serveLane(lane: Waiter[], tokensMin: number, nowMs: number): void {
    for (let first = lane[0]; first; first = lane[0]) {
      if (first.untilMs <= nowMs) first.reject(overBudget());
      else if (tokens < tokensMin) return;
      else {
        tokens -= 1;
        first.resolve(nowMs - first.sinceMs);
      }
      lane.shift();
    }
  }

  function schedule(nowMs: number): void {
    clearTimeout(timer);
    const firsts = [urgent[0], background[0]].filter((first) => first !== undefined);
    if (firsts.length === 0) return;
    const untilTokenMs = msUntil(urgent.length > 0 ? 1 : backgroundMin, nowMs);
    const untilRefusedMs = Math.min(...firsts.map(({ untilMs }) => untilMs)) - nowMs;
    timer = setTimeout(serve, Math.max(1, Math.ceil(Math.min(untilTokenMs, untilRefusedMs))));
  }

  return {
    take(isUrgent, waitMaxMs) {
      const nowMs = fill();
      const ahead = isUrgent ? urgent.length : urgent.length + background.length;
      const tokensMin = isUrgent ? 1 : backgroundMin;
      if (ahead === 0 && tokens >= tokensMin) {
        tokens -= 1;
        return undefined;
      }
      if (msUntil(ahead + tokensMin, nowMs) > waitMaxMs) throw overBudget();
      const lane = isUrgent ? urgent : background;
      const untilMs = nowMs + waitMaxMs * (1 + lateShareMax);
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      lane.push({ sinceMs: nowMs, untilMs, resolve, reject });
      if (lane.length === 1) schedule(nowMs);
      return promise;
    },
    pause() {
      tokens = 0;
      filledAtMs = Math.max(filledAtMs, performance.now() + pauseMs * (0.5 + Math.random()));
    },
  };
}

const overBudget = () =>
  new OverBudget('the budget of requests to the payment provider is used up');
