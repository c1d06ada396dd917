import Big from 'big.js';
import { currencyOf, findAmountProblem } from '../../../shared/currencies.js';
import { printAmount } from '../../../shared/money.js';
import { PermanentRefusal } from './payment-provider.js';

// What is Stripe's own (https://docs.stripe.com/currencies): amounts of these are written in hundredths, although
// only whole ones are charged. All others are written in units of their last decimal.
const wholeInHundredths = ['ISK', 'UGX'];

/**
 * Converts an amount to the smallest unit of its currency: "19.90" USD is 1990, "500.00" JPY is 500.
 *
 * @throws PermanentRefusal for an amount that Stripe refuses: with more decimals than the currency allows
 */
export function toMinorUnits(amount: string, currencyCode: string): number {
  const problem = findAmountProblem(amount, currencyCode);
  if (problem) throw new PermanentRefusal(problem);
  const units = new Big(amount).times(unitsPerMain(currencyCode));
  if (units.gt(Number.MAX_SAFE_INTEGER)) {
    throw new PermanentRefusal(
      `${amount} ${currencyCode} is more than can be charged`,
      'invalid_amount',
    );
  }
  return units.toNumber();
}

/**
 * Converts an amount from the smallest unit of its currency, in upper or lower case: 1990 of USD is "19.90",
 * 500 of JPY is "500". An amount that cannot be charged is not rounded: 50 of ISK is "0.5".
 */
export function fromMinorUnits(units: number, currencyCode: string): string {
  const code = currencyCode.toUpperCase();
  return printAmount(new Big(units).div(unitsPerMain(code)).toFixed(), code);
}

function unitsPerMain(currencyCode: string): number {
  if (wholeInHundredths.includes(currencyCode)) return 100;
  return 10 ** currencyOf(currencyCode).digits;
}
