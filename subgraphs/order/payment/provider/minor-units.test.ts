import { fromMinorUnits, toMinorUnits } from './minor-units.js';
import { PermanentRefusal } from './payment-provider.js';

describe('an amount in the smallest unit of its currency', () => {
  it.each([
    ['19.90', 'USD', 1990],
    ['0.07', 'EUR', 7],
    ['999999999999.99', 'USD', 99_999_999_999_999],
    ['500', 'JPY', 500],
    ['1.250', 'KWD', 1250],
    ['1200', 'ISK', 120_000],
    ['3700', 'UGX', 370_000],
  ])('is exact, in both directions: %s %s is %d', (amount, currency, units) => {
    expect(toMinorUnits(amount, currency)).toBe(units);
    expect(fromMinorUnits(units, currency)).toBe(amount);
    expect(fromMinorUnits(units, currency.toLowerCase())).toBe(amount);
  });

  it('is taken as columns have it', () => {
    expect(toMinorUnits('500.00', 'JPY')).toBe(500);
    expect(toMinorUnits('1.25', 'KWD')).toBe(1250);
  });

  it('has the decimals of its currency, and is not rounded', () => {
    expect(fromMinorUnits(1255, 'KWD')).toBe('1.255');
    expect(fromMinorUnits(1000, 'KWD')).toBe('1.000');
    expect(fromMinorUnits(50, 'ISK')).toBe('0.5');
    expect(fromMinorUnits(0, 'USD')).toBe('0.00');
  });

  it.each([
    ['19.90', 'JPY'],
    ['19.90', 'ISK'],
    ['0.50', 'UGX'],
    ['1.255', 'KWD'],
    ['0.001', 'USD'],
  ])('is refused if it has more decimals than the currency: %s %s', (amount, currency) => {
    expect(() => toMinorUnits(amount, currency)).toThrow(PermanentRefusal);
  });
});
