import Big from 'big.js';
import { PermanentRefusal } from './payment-provider.js';

// https://docs.stripe.com/currencies: Stripe takes ISK and UGX with two decimals.
const zeroDecimal = 'BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF'.split(' ');
const threeDecimal = 'BHD JOD KWD OMR TND'.split(' ');

/**
 * Converts an amount to the smallest unit of its currency: "19.90" USD is 1990, "500.00" JPY is 500.
 *
 * @throws PermanentRefusal for an amount that the currency cannot express
 */
export function toMinorUnits(amount: string, currencyCode: string): number {
  const digits = zeroDecimal.includes(currencyCode)
    ? 0
    : threeDecimal.includes(currencyCode)
      ? 3
      : 2;
  const units = new Big(amount).times(new Big(10).pow(digits));
  if (!units.eq(units.round(0)) || units.gt(Number.MAX_SAFE_INTEGER)) {
    throw new PermanentRefusal(
      `${amount} ${currencyCode} has more decimals than ${currencyCode} allows`,
    );
  }
  return units.toNumber();
}
