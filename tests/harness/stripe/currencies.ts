import { invalid } from './answers.js';

// https://docs.stripe.com/currencies
const currencies = new Set(
  (
    'usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf ' +
    'chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl htg huf ' +
    'idr ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop ' +
    'mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd ' +
    'scr sek sgd shp sle sos srd std szl thb tjs tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd xof ' +
    'xpf yer zar zmw'
  ).split(' '),
);
// Written with two decimals, which must be 00.
const wholeOnly = ['isk', 'ugx'];
// Written with three decimals, of which the last must be 0.
const threeDecimals = ['bhd', 'jod', 'kwd', 'omr', 'tnd'];
/** the smallest payment, in the smallest unit */
const paymentMin: Readonly<Record<string, number>> = { usd: 50, eur: 50, gbp: 30, jpy: 50 };
const digitsMax = 8;

/** @throws Refusal unless Stripe supports the currency */
export function currencyOf(form: URLSearchParams): string {
  const given = form.get('currency');
  if (!given) throw missingParameter('currency');
  const currency = given.toLowerCase();
  if (currencies.has(currency)) return currency;
  const supported = [...currencies].join(', ');
  const message = `Invalid currency: ${currency}. Stripe currently supports these currencies: ${supported}`;
  throw invalid(message, { param: 'currency' });
}

/** An amount in the smallest unit of a currency. @throws Refusal unless it is positive and allowed */
export function amountOf(form: URLSearchParams, currency: string, name = 'amount'): number {
  const given = form.get(name);
  if (given === null) throw missingParameter(name);
  if (!/^-?\d+$/.test(given)) {
    const code = 'parameter_invalid_integer';
    throw invalid(`Invalid integer: ${given}`, { code, param: name });
  }
  const amount = Number(given);
  if (amount < 1) {
    const code = 'parameter_invalid_integer';
    throw invalid('This value must be greater than or equal to 1.', { code, param: name });
  }
  if (given.length > digitsMax) {
    const code = 'amount_too_large';
    throw invalid('Amount must be no more than 8 digits.', { code, param: name });
  }
  if (wholeOnly.includes(currency) && amount % 100 !== 0) {
    throw invalid(`Invalid amount: ${currency} has no decimals.`, { param: name });
  }
  if (threeDecimals.includes(currency) && amount % 10 !== 0) {
    const message = `Invalid amount: the last digit of an amount in ${currency} must be 0.`;
    throw invalid(message, { param: name });
  }
  return amount;
}

/** @throws Refusal for a payment that is too small */
export function requirePaymentMin(amount: number, currency: string): void {
  const least = paymentMin[currency] ?? 1;
  if (amount >= least) return;
  const message = `Amount must be at least ${least} of the smallest unit of ${currency}.`;
  throw invalid(message, { code: 'amount_too_small', param: 'amount' });
}

const missingParameter = (name: string) =>
  invalid(`Missing required param: ${name}.`, { code: 'parameter_missing', param: name });
