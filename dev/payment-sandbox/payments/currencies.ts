import { Refused } from './refused.js';

const currencies = new Set(Intl.supportedValuesOf('currency'));

// https://docs.stripe.com/currencies: ISK and UGX have no decimals either, although they are sent with two.
const wholeOnly = new Set(
  'BIF CLP DJF GNF ISK JPY KMF KRW MGA PYG RWF UGX VND VUV XAF XOF XPF'.split(' '),
);
const threeDecimals = new Set('BHD JOD KWD OMR TND'.split(' '));

// An integer part that is exact in every client, then the decimals that the currency allows; zeros may follow.
const whole = /^\d{1,15}(\.0{1,6})?$/;
const hundredths = /^\d{1,15}(\.\d{1,2}0{0,4})?$/;
// The third decimal must be 0.
const thousandths = /^\d{1,15}(\.\d{1,2}|\.\d{2}0)?$/;
const positive = /[1-9]/;

function patternOf(currencyCode: string): RegExp {
  if (wholeOnly.has(currencyCode)) return whole;
  return threeDecimals.has(currencyCode) ? thousandths : hundredths;
}

/** @throws Refused 400 for a currency that ISO 4217 does not list */
export function requireCurrency(currencyCode: unknown): string {
  if (typeof currencyCode === 'string' && currencies.has(currencyCode)) return currencyCode;
  throw new Refused(400, 'invalid_currency', `unknown currency: ${currencyCode}`);
}

/** @throws Refused 400 unless it is a positive decimal string that the currency can express */
export function requireAmount(amount: unknown, currencyCode: string): string {
  const isValid = typeof amount === 'string' && patternOf(currencyCode).test(amount);
  if (isValid && positive.test(amount)) return amount;
  throw new Refused(400, 'invalid_amount', `not an amount of ${currencyCode}: ${amount}`);
}
