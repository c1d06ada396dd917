import Big from 'big.js';
import { PermanentRefusal } from './payment-provider.js';

// https://docs.stripe.com/currencies
const zeroDecimal = 'BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF'.split(' ');
const threeDecimal = 'BHD JOD KWD OMR TND'.split(' ');
// Written with two decimals, though they have none.
const wholeOnly = ['ISK', 'UGX'];

/**
 * Converts an amount to the smallest unit of its currency: "19.90" USD is 1990, "500.00" JPY is 500.
 *
 * @throws PermanentRefusal for an amount that Stripe refuses: with more decimals than the currency allows
 */
export function toMinorUnits(amount: string, currencyCode: string): number {
  const units = new Big(amount).times(unitsPerMain(currencyCode));
  if (!units.mod(stepOf(currencyCode)).eq(0) || units.gt(Number.MAX_SAFE_INTEGER)) {
    throw new PermanentRefusal(
      `${amount} ${currencyCode} has more decimals than ${currencyCode} allows`,
      'invalid_amount',
    );
  }
  return units.toNumber();
}

/**
 * Converts an amount from the smallest unit of its currency, in upper or lower case: 1990 of USD is "19.90",
 * 500 of JPY is "500.00". There are two decimals, or three if the third is not 0.
 */
export function fromMinorUnits(units: number, currencyCode: string): string {
  const amount = new Big(units).div(unitsPerMain(currencyCode.toUpperCase()));
  return amount.toFixed(amount.eq(amount.round(2)) ? 2 : 3);
}

function unitsPerMain(currencyCode: string): number {
  if (zeroDecimal.includes(currencyCode)) return 1;
  return threeDecimal.includes(currencyCode) ? 1000 : 100;
}

/** Stripe takes only multiples of this many units: the last of three decimals is always 0. */
function stepOf(currencyCode: string): number {
  if (wholeOnly.includes(currencyCode)) return 100;
  return threeDecimal.includes(currencyCode) ? 10 : 1;
}
