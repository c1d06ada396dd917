import { jest } from '@jest/globals';
import type { DomainError } from '../../subgraphs/shared/errors.js';
import { Registry } from '../../subgraphs/shared/observability/metrics.js';
import { createFileLimit } from './file-limit.js';

const limit = { points: 3, seconds: 3600 };

describe('the limit of files', () => {
  const isRefused = (consume: (address: string) => void, address: string): boolean => {
    try {
      consume(address);
      return false;
    } catch (error) {
      const { code, retryAfterMs } = (error as DomainError).extensions;
      expect(code).toBe('RATE_LIMITED');
      expect(retryAfterMs).toBeGreaterThan(limit.seconds * 500);
      expect(retryAfterMs).toBeLessThanOrEqual(limit.seconds * 1000);
      return true;
    }
  };

  it('refuses an address above it, and no other address', async () => {
    const registry = new Registry();
    const consume = createFileLimit(limit, registry);
    const outcomes = Array.from({ length: 5 }, () => isRefused(consume, '192.0.2.1'));
    expect(outcomes).toEqual([false, false, false, true, true]);
    expect(isRefused(consume, '192.0.2.2')).toBe(false);
    expect(await registry.metrics()).toContain('holdfast_rate_limited_total{limit="files"} 2');
  });

  it('ends with its window', () => {
    jest.useFakeTimers();
    try {
      // The cache takes the start time 0 for none.
      jest.advanceTimersByTime(1);
      const consume = createFileLimit({ points: 1, seconds: 10 }, new Registry());
      consume('192.0.2.1');
      for (const passedMs of [1, 9998]) {
        jest.advanceTimersByTime(passedMs);
        expect(() => consume('192.0.2.1')).toThrow('Wait, then try again.');
      }
      jest.advanceTimersByTime(2);
      expect(() => consume('192.0.2.1')).not.toThrow();
    } finally {
      jest.useRealTimers();
    }
  });

  it('keeps the counts of a bounded number of addresses: those of the latest requests', () => {
    const consume = createFileLimit(limit, new Registry(), 2);
    for (let n = 0; n < 4; n++) isRefused(consume, '192.0.2.1');
    expect(isRefused(consume, '192.0.2.1')).toBe(true);
    for (const address of ['192.0.2.2', '192.0.2.3']) consume(address);
    expect(isRefused(consume, '192.0.2.1')).toBe(false);
  });
});
