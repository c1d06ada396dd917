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

/** Pauses before the first retry and at most, in milliseconds. */
export interface Pauses {
  readonly initialDelay: number;
  readonly maxDelay: number;
}
const short: Pauses = { initialDelay: 50, maxDelay: 1000 };

/** Retries work with exponential backoff, at most `retriesMax` times, while its errors are transient. */
export const retrying = (
  retriesMax: number,
  isTransient: (error: unknown) => boolean,
  pauses = short,
): RetryPolicy =>
  retry(handleWhen(isTransient), {
    maxAttempts: retriesMax,
    backoff: new ExponentialBackoff(pauses),
  });

/** As `retrying`, with one time limit for all attempts; a late attempt is abandoned, not aborted. */
export const retryingWithin = (
  maxMs: number,
  retriesMax: number,
  isTransient: (error: unknown) => boolean,
): IPolicy => wrap(timeout(maxMs, TimeoutStrategy.Aggressive), retrying(retriesMax, isTransient));

const timeouts = ['TimeoutError', 'HeadersTimeoutError', 'BodyTimeoutError'];

/** Whether a timeout of a signal or of undici caused the error; it is not retried. */
export const isTimeout = (error: unknown) => timeouts.includes((error as Error).name);
