import Big from 'big.js';
import { assert } from './assert.js';

export interface Currency {
  /** decimals with which amounts are printed */
  readonly digits: 0 | 2 | 3;
  /** the smallest amount that can be charged; all prices are multiples of it */
  readonly step: string;
}

// The active codes of ISO 4217 that the payment providers charge (https://docs.stripe.com/currencies), by the
// stricter rule of both. ISO 4217 has two decimals for MGA, which Stripe charges only in whole units. HUF and TWD
// are restricted in payouts only.
const groups: readonly (Currency & { readonly codes: string })[] = [
  {
    ...{ digits: 0, step: '1' },
    codes: 'BIF CLP DJF GNF ISK JPY KMF KRW MGA PYG RWF UGX VND VUV XAF XOF XPF',
  },
  // The last of the three decimals must be 0.
  { digits: 3, step: '0.01', codes: 'BHD JOD KWD OMR TND' },
  {
    ...{ digits: 2, step: '0.01' },
    codes: `
      AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BWP BYN BZD CAD CDF CHF CNY COP CRC CVE
      CZK DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR JMD KES KGS KHR KYD
      KZT LAK LBP LKR LRD LSL MAD MDL MKD MMK MNT MOP MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK
      PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SEK SGD SHP SLE SOS SRD SZL THB TJS TOP TRY TTD TWD TZS UAH USD UYU
      UZS WST XCD YER ZAR ZMW`,
  },
];
const codesOf = (group: { readonly codes: string }) => group.codes.trim().split(/\s+/);

/** The one table of currencies, by code: a shop, a price or a filter has one of them. */
export const currencies: ReadonlyMap<string, Currency> = new Map(
  groups.flatMap((group) => {
    const currency: Currency = { digits: group.digits, step: group.step };
    return codesOf(group).map((code) => [code, currency] as const);
  }),
);

export const currencyDefault = 'USD';
// Of a code that is not in the table, as a provider may report one.
const unknown = currencies.get(currencyDefault) as Currency;

export const currencyOf = (code: string): Currency => currencies.get(code) ?? unknown;

/**
 * Decimals of the `numeric` columns that store amounts. Two are enough for currencies with three decimals too,
 * as their last decimal is always 0. A currency with a finer step needs wider columns first.
 */
export const amountScale = 2;

/** The finest step of all currencies. */
export const finestStep = new Big(10).pow(-amountScale).toFixed(amountScale);

for (const [code, { step }] of currencies) {
  assert(isMultiple(step, finestStep), 'the columns of amounts can store the step', code);
}

export function isMultiple(amount: string, step: string): boolean {
  return new Big(amount).mod(step).eq(0);
}

const codeShownMax = 20;

/** @returns why no shop can have this currency; null if it can */
export function findCurrencyProblem(code: string): string | null {
  if (currencies.has(code)) return null;
  const shown = code.slice(0, codeShownMax);
  return `${shown} is not a currency that can be charged; use a code of ISO 4217 such as ${currencyDefault}`;
}

/**
 * @param amount a decimal number
 * @returns why the amount cannot be charged in a currency, and the nearest one that can; null if it can
 */
export function findAmountProblem(amount: string, code: string): string | null {
  const { digits, step } = currencyOf(code);
  if (isMultiple(amount, step)) return null;
  const hasTooMany = !new Big(amount).round(digits).eq(amount);
  const rule = hasTooMany
    ? `has more decimals than ${code} allows`
    : 'must have 0 as its last decimal';
  const nearest = new Big(amount).div(step).round().times(step).toFixed(digits);
  return `${amount} ${code} ${rule}; ${nearest} would be right`;
}
