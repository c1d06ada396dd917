/**
 * Runs a request with a time limit. `AbortSignal.timeout` would leave a timer, and make an error, for each
 * request that ends in time.
 *
 * @param work aborts with a `TimeoutError` once the signal is aborted
 */
export async function withTimeLimit<T>(
  timeLimitMs: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const timer = setTimeout(() => {
    controller.abort(new DOMException(`no answer within ${timeLimitMs} ms`, 'TimeoutError'));
  }, timeLimitMs);
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
  }
}
