import { GraphQLError } from 'graphql';
import { Decimal } from './graphql/scalars.js';
import { lineTotal, money, sumOf } from './money.js';

describe('money', () => {
  it('is exact, where floats are not', () => {
    expect(sumOf(['0.10', '0.20'])).toBe('0.30');
    expect(lineTotal('1.10', 3)).toBe('3.30');
    expect(lineTotal('9999999999.99', 10_000)).toBe('99999999999900.00');
    expect(money('5', 'USD')).toEqual({ amount: '5.00', currencyCode: 'USD' });
  });

  it.each([1, '1e3', '', '1,5', 'NaN', '--1', null])('a Decimal is not %j', (value) => {
    expect(() => Decimal.parseValue(value)).toThrow(GraphQLError);
  });
});
