import fc from 'fast-check';
import {
  amountScale,
  currencies,
  currencyOf,
  findAmountProblem,
  findCurrencyProblem,
  finestStep,
  isMultiple,
} from './currencies.js';
import { money, printAmount } from './money.js';

const code = fc.constantFrom(...currencies.keys());
/** Thousandths, to be independent of the arithmetic under test. */
const thousandths = fc.oneof(
  fc.bigInt({ min: 0n, max: 5000n }),
  fc.bigInt({ min: 0n, max: 9_999_999_999_999n }),
  fc.bigInt({ min: 0n, max: 9_999_999_999n }).map((units) => units * 1000n),
);
const written = (value: bigint) => `${value / 1000n}.${String(value % 1000n).padStart(3, '0')}`;
const read = (text: string): bigint => {
  expect(text).toMatch(/^\d+(\.\d{2,3})?$/);
  const [whole = '', decimals = ''] = text.split('.');
  return BigInt(whole + decimals.padEnd(3, '0'));
};
const stepOf = (currencyCode: string) => (currencyOf(currencyCode).digits === 0 ? 1000n : 10n);

describe('a currency', () => {
  it('of the table has the code of one that exists', () => {
    const known = new Set(Intl.supportedValuesOf('currency'));
    expect([...currencies.keys()].filter((each) => !known.has(each))).toEqual([]);
    expect(currencies.size).toBeGreaterThan(120);
  });

  it.each(['ZZZ', 'XXX', 'XAU', 'DEM', 'usd', 'US', '', 'constructor'])('is not %j', (unknown) => {
    expect(findCurrencyProblem(unknown)).toBe(
      `${unknown} is not a currency that can be charged; use a code of ISO 4217 such as USD`,
    );
  });

  it.each([
    ['USD', 2, '0.01'],
    ['HUF', 2, '0.01'],
    ['JPY', 0, '1'],
    ['ISK', 0, '1'],
    ['UGX', 0, '1'],
    ['MGA', 0, '1'],
    ['KWD', 3, '0.01'],
  ])('has the stricter rule of ISO 4217 and the providers: %s', (known, digits, step) => {
    expect(findCurrencyProblem(known)).toBeNull();
    expect(currencyOf(known)).toEqual({ digits, step });
  });

  it('has no finer step than the columns of amounts can store', () => {
    expect(finestStep).toBe(`0.${'1'.padStart(amountScale, '0')}`);
    for (const { step } of currencies.values()) expect(isMultiple(step, finestStep)).toBe(true);
  });

  it('takes an amount exactly if it is a multiple of its step', () => {
    fc.assert(
      fc.property(code, thousandths, (currencyCode, value) => {
        const problem = findAmountProblem(written(value), currencyCode);
        expect(problem === null).toBe(value % stepOf(currencyCode) === 0n);
      }),
      { numRuns: 2000 },
    );
  });

  it('refuses another amount with the nearest one that is right', () => {
    fc.assert(
      fc.property(code, thousandths, (currencyCode, value) => {
        const problem = findAmountProblem(written(value), currencyCode);
        if (problem === null) return;
        const right = /; ([\d.]+) would be right$/.exec(problem)?.[1] as string;
        expect(findAmountProblem(right, currencyCode)).toBeNull();
        const distance = read(right) - value;
        expect((distance < 0n ? -distance : distance) * 2n).toBeLessThanOrEqual(
          stepOf(currencyCode),
        );
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['19.90', 'JPY', '19.90 JPY has more decimals than JPY allows; 20 would be right'],
    ['0.4', 'ISK', '0.4 ISK has more decimals than ISK allows; 0 would be right'],
    ['1.255', 'KWD', '1.255 KWD must have 0 as its last decimal; 1.260 would be right'],
    ['1.2504', 'KWD', '1.2504 KWD has more decimals than KWD allows; 1.250 would be right'],
    ['1.999', 'USD', '1.999 USD has more decimals than USD allows; 2.00 would be right'],
  ])('says what is wrong with %s %s', (amount, currencyCode, problem) => {
    expect(findAmountProblem(amount, currencyCode)).toBe(problem);
  });

  it.each([
    ['500.00', 'JPY'],
    ['500.000000', 'ISK'],
    ['1.25', 'KWD'],
    ['1.250', 'KWD'],
    ['19.900', 'USD'],
    ['0', 'UGX'],
  ])('takes %s %s, with zeros or without', (amount, currencyCode) => {
    expect(findAmountProblem(amount, currencyCode)).toBeNull();
  });
});

describe('a printed amount', () => {
  it('has the decimals of its currency, and parses back to the same value', () => {
    fc.assert(
      fc.property(code, thousandths, (currencyCode, value) => {
        const step = stepOf(currencyCode);
        const multiple = value - (value % step);
        const text = written(multiple);
        const { digits } = currencyOf(currencyCode);
        // As clients write it, as columns have it, and as it was printed before.
        for (const amount of [text, text.slice(0, -1), printAmount(text, currencyCode)]) {
          const printed = money(amount, currencyCode).amount;
          expect(printed.split('.')[1]?.length ?? 0).toBe(digits);
          expect(read(printed)).toBe(multiple);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['500.00', 'JPY', '500'],
    ['1.25', 'KWD', '1.250'],
    ['19.90', 'USD', '19.90'],
    ['100.00', 'ISK', '100'],
    ['100.00', 'UGX', '100'],
    ['0.00', 'JPY', '0'],
    ['-5.00', 'JPY', '-5'],
    ['5', 'ZZZ', '5.00'],
  ])('of %s %s is %s', (amount, currencyCode, printed) => {
    expect(printAmount(amount, currencyCode)).toBe(printed);
  });

  it('is not rounded, though its currency cannot express it', () => {
    expect(printAmount('100.50', 'JPY')).toBe('100.5');
    expect(printAmount('1.2345', 'KWD')).toBe('1.2345');
  });
});
