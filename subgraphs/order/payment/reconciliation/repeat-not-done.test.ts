import { jest } from '@jest/globals';
import { AccessRefused, NotDone, RateLimited, Unreached } from '../provider/payment-provider.js';
import { CircuitOpen } from '../provider/provider-breaker.js';
import { OverBudget } from '../provider/request-bucket.js';
import { repeatNotDone } from './repeat-not-done.js';

const minuteMs = 60_000;
const atCheckpoint = async () => {};

describe('a request of the reconciliation', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  /** A request that fails so often, and what became of it within two minutes. */
  async function send(failures: number, error: Error, checkpoint = atCheckpoint) {
    const startedAtMs = performance.now();
    let [sent, endedAtMs] = [0, 0];
    const request = async () => {
      sent += 1;
      if (sent <= failures) throw error;
      return 'done';
    };
    const end = repeatNotDone(request, checkpoint)
      .catch((failure) => failure)
      .finally(() => {
        endedAtMs = performance.now() - startedAtMs;
      });
    await jest.advanceTimersByTimeAsync(2 * minuteMs);
    return { end: await end, sent, tookMs: endedAtMs };
  }

  it.each([
    ['the budget', new OverBudget('used up')],
    ['the circuit breaker', new CircuitOpen('no answer')],
    ['a 429', new RateLimited('429')],
    ['a missing connection', new Unreached('ECONNREFUSED')],
  ])('that was not done because of %s is repeated', async (_, error) => {
    expect(await send(3, error)).toEqual({ end: 'done', sent: 4, tookMs: 6000 });
  });

  it('that is not done for a minute fails', async () => {
    const error = new NotDone('locked');
    expect(await send(Number.POSITIVE_INFINITY, error)).toEqual({
      ...{ end: error, sent: 31, tookMs: minuteMs },
    });
  });

  it.each([
    ['may have been done', new Error('no answer')],
    ['our key does not allow', new AccessRefused('no permission', 'http_403')],
  ])('that %s is not repeated', async (_, error) => {
    expect(await send(1, error)).toEqual({ end: error, sent: 1, tookMs: 0 });
  });

  it('is not repeated once the process stops', async () => {
    const stopped = new Error('stopped');
    const checkpoint = () => Promise.reject(stopped);
    expect(await send(9, new RateLimited('429'), checkpoint)).toMatchObject({
      ...{ end: stopped, sent: 1 },
    });
  });
});
