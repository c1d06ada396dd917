import { AdaptiveLimit } from './adaptive-limit.js';

/** A limit with a clock of the test. */
function open(max: number) {
  let nowMs = 0;
  const limit = new AdaptiveLimit({ max, nowMs: () => nowMs });
  return {
    limit,
    /** Runs as many operations at once as it may, up to so many, each for so long; several times. */
    run(wanted: number, tookMs: number, times = 1) {
      let refused = 0;
      for (let time = 0; time < times; time++) {
        const startedMs = nowMs;
        let started = 0;
        for (let n = 0; n < wanted; n++) {
          if (limit.start()) started += 1;
          else refused += 1;
        }
        nowMs += tookMs;
        for (let n = 0; n < started; n++) limit.end(startedMs);
      }
      return refused;
    },
  };
}

describe('the limit of operations that run at the same time', () => {
  it('admits as many as it is, and more when they have ended', () => {
    const { limit, run } = open(20);
    expect(run(25, 300)).toBe(5);
    expect(limit.running).toBe(0);
    expect(run(20, 300)).toBe(0);
  });

  it('is lowered while operations take long because many run, and is raised again after', () => {
    const { limit, run } = open(100);
    run(40, 300, 5);
    run(100, 2000, 3);
    expect(limit.limit).toBeLessThan(70);
    run(100, 2000, 20);
    expect(limit.limit).toBe(16);
    run(100, 300, 40);
    expect(limit.limit).toBe(100);
  });

  it('is not lowered for operations that take as long without load', () => {
    const { limit, run } = open(100);
    run(40, 2000, 5);
    run(100, 2500, 20);
    expect(limit.limit).toBe(100);
    run(100, 6500, 20);
    expect(limit.limit).toBeLessThan(100);
  });

  it('does not count an operation that goes on elsewhere', () => {
    const { limit, run } = open(16);
    limit.start();
    limit.leave();
    expect(run(16, 300)).toBe(0);
  });
});
