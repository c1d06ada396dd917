import { compare, type Limit, windowsOf } from './flatness.js';

describe('the minutes that a soak compares', () => {
  it('are 5 to 7 and 18 to 20 of 20', () => {
    expect(windowsOf(20)).toEqual({ first: [5, 6, 7], last: [18, 19, 20] });
  });

  it('never overlap in a shorter run', () => {
    for (let minutes = 3; minutes < 30; minutes++) {
      const { first, last } = windowsOf(minutes);
      expect(first[0]).toBeGreaterThanOrEqual(2);
      expect(first.at(-1)).toBeLessThan(last[0] as number);
      expect(last.at(-1)).toBe(minutes);
    }
    expect(windowsOf(3)).toEqual({ first: [2], last: [3] });
  });
});

describe('the comparison of a soak', () => {
  const windows = { first: [1, 2, 3], last: [4, 5, 6] };
  const checksOf = (values: readonly number[], limit?: Limit) =>
    compare([{ name: 'router: heap MB', values, ...(limit && { limit }) }], windows).checks;

  it('takes the median of each window, so that one minute alone decides nothing', () => {
    const values = [100, 300, 100, 104, 900, 105];
    expect(compare([{ name: 'a', values }], windows).results).toEqual([
      { case: 'a', 'minutes 1–3': 100, 'minutes 4–6': 105, times: 1.05, 'each minute': values },
    ]);
    expect(checksOf(values, { times: 1.05 })).toMatchObject([{ value: 105, pass: true }]);
    expect(checksOf(values, { times: 1.04 })).toMatchObject([{ pass: false }]);
  });

  it('allows an absolute difference, and checks nothing without a limit', () => {
    const values = [10, 10, 10, 11, 11, 11];
    expect(checksOf(values, { times: 1 })).toMatchObject([{ target: '≤ 10: 1 × 10', pass: false }]);
    expect(checksOf(values, { times: 1, more: 1 })).toMatchObject([{ pass: true }]);
    expect(checksOf(values)).toEqual([]);
  });

  it('accepts 0 that stays 0, and nothing above it', () => {
    expect(checksOf([0, 0, 0, 0, 0, 0], { times: 1 })).toMatchObject([{ pass: true }]);
    expect(checksOf([0, 0, 0, 1, 1, 1], { times: 2 })).toMatchObject([{ pass: false }]);
  });

  it('fails if a figure is missing in a minute', () => {
    for (const minute of [0, 1, 2, 3, 4, 5]) {
      const values = [1, 1, 1, 1, 1, 1].with(minute, Number.NaN);
      expect(checksOf(values, { times: 2, more: 2 })).toMatchObject([{ pass: false }]);
    }
  });
});
