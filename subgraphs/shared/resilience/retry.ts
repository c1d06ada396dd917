import {
  ExponentialBackoff,
  handleWhen,
  type IPolicy,
  type RetryPolicy,
  retry,
  TimeoutStrategy,
  timeout,
  wrap,
} from 'cockatiel';

/** How long to wait, in ms: before the first retry, and at most. */
export interface Pauses {
  readonly initialDelay: number;
  readonly maxDelay: number;
}
const short: Pauses = { initialDelay: 50, maxDelay: 1000 };

/** Does work again, at most `retriesMax` times and each time later, as long as it fails so. */
export const retrying = (
  retriesMax: number,
  isTransient: (error: unknown) => boolean,
  pauses = short,
): RetryPolicy =>
  retry(handleWhen(isTransient), {
    maxAttempts: retriesMax,
    backoff: new ExponentialBackoff(pauses),
  });

/** The same, with one time limit around all of it; what is late then is left to itself. */
export const retryingWithin = (
  maxMs: number,
  retriesMax: number,
  isTransient: (error: unknown) => boolean,
): IPolicy => wrap(timeout(maxMs, TimeoutStrategy.Aggressive), retrying(retriesMax, isTransient));

const timeouts = ['TimeoutError', 'HeadersTimeoutError', 'BodyTimeoutError'];

/** Whether a time limit ended it, of a signal or of undici: whoever waits has waited enough. */
export const isTimeout = (error: unknown) => timeouts.includes((error as Error).name);
