import { jest } from '@jest/globals';
import { createRequestBucket, OverBudget, type RequestBucket } from './request-bucket.js';

const waitMaxMs = 2000;

describe('a bucket of ten requests a second', () => {
  let bucket: RequestBucket;
  /** requests that had their turn, and those that did not, in this order */
  let turns: string[];
  beforeEach(() => {
    jest.useFakeTimers();
    bucket = createRequestBucket(10);
    turns = [];
  });
  afterEach(() => {
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });

  const ask = (name: string, isUrgent = true) =>
    bucket.take(isUrgent, waitMaxMs)?.then(
      () => void turns.push(name),
      () => void turns.push(`${name} refused`),
    );
  const drain = (isUrgent = true) => {
    let taken = 0;
    for (;;) {
      try {
        if (bucket.take(isUrgent, 0)) throw new Error('waits');
        taken += 1;
      } catch (error) {
        if (error instanceof OverBudget) return taken;
        throw error;
      }
    }
  };

  it('has those of one second at once, without a promise and without a timer', () => {
    expect(drain()).toBe(10);
    jest.advanceTimersByTime(60_000);
    expect(drain()).toBe(10);
  });

  it('gives turns in order of arrival, as many as it fills', async () => {
    drain();
    for (const name of ['a', 'b', 'c']) void ask(name);
    await jest.advanceTimersByTimeAsync(99);
    expect(turns).toEqual([]);
    await jest.advanceTimersByTimeAsync(102);
    expect(turns).toEqual(['a', 'b']);
    await jest.advanceTimersByTimeAsync(101);
    expect(turns).toEqual(['a', 'b', 'c']);
  });

  it('refuses a request at once that would wait too long', async () => {
    drain();
    for (let n = 0; n < 20; n++) void ask(String(n));
    expect(() => bucket.take(true, waitMaxMs)).toThrow(OverBudget);
    await jest.advanceTimersByTimeAsync(2100);
    expect(turns).toEqual(Array.from({ length: 20 }, (_, n) => String(n)));
  });

  it('keeps a quarter for urgent requests', async () => {
    expect(drain(false)).toBe(8);
    expect(drain()).toBe(2);
    void ask('background', false);
    void ask('urgent');
    await jest.advanceTimersByTimeAsync(110);
    expect(turns).toEqual(['urgent']);
    await jest.advanceTimersByTimeAsync(260);
    expect(turns).toEqual(['urgent', 'background']);
  });

  it('refuses background requests that urgent ones keep waiting', async () => {
    drain();
    void ask('background', false);
    const stop = setInterval(() => void ask('urgent'), 100);
    await jest.advanceTimersByTimeAsync(waitMaxMs * 1.1);
    clearInterval(stop);
    expect(turns.filter((turn) => turn !== 'urgent')).toEqual(['background refused']);
    await jest.advanceTimersByTimeAsync(1000);
  });

  it('starts empty after a pause of up to 0.75 s', async () => {
    bucket.pause();
    for (const name of ['a', 'b']) void ask(name);
    await jest.advanceTimersByTimeAsync(340);
    expect(turns).toEqual([]);
    await jest.advanceTimersByTimeAsync(750 + 202 - 340);
    expect(turns).toEqual(['a', 'b']);
  });

  it('refuses those in time whose turn a pause has delayed', async () => {
    drain();
    for (let n = 0; n < 20; n++) void ask(String(n));
    bucket.pause();
    await jest.advanceTimersByTimeAsync(waitMaxMs * 1.06);
    const refused = turns.filter((turn) => turn.endsWith('refused'));
    expect(turns).toHaveLength(20);
    expect(refused.length).toBeGreaterThan(1);
  });

  it('of less than a request a second still has one', async () => {
    bucket = createRequestBucket(0.5);
    expect(drain(false)).toBe(1);
    void ask('next', false);
    await jest.advanceTimersByTimeAsync(2001);
    expect(turns).toEqual(['next']);
  });
});
