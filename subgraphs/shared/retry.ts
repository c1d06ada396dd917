import {
  ExponentialBackoff,
  handleWhen,
  type IPolicy,
  retry,
  TimeoutStrategy,
  timeout,
  wrap,
} from 'cockatiel';

const initialDelay = 50;
const maxDelay = 1000;

/** Does work again, at most `retriesMax` times and each time later, as long as it fails so. */
export const retrying = (retriesMax: number, isTransient: (error: unknown) => boolean): IPolicy =>
  retry(handleWhen(isTransient), {
    maxAttempts: retriesMax,
    backoff: new ExponentialBackoff({ initialDelay, maxDelay }),
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
