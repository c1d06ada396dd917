import { amountScale, currencies, currencyDefault, currencyOf } from '../currencies.js';
import { isOneOf } from './is-one-of.js';

/** SQL for a fact of a currency, by its code. Codes that are not in the table have that of the default. */
function caseOf(code: string, factOf: (code: string) => string): string {
  const otherwise = factOf(currencyDefault);
  const codesBy = Map.groupBy(currencies.keys(), factOf);
  codesBy.delete(otherwise);
  const cases = [...codesBy].map(([value, codes]) => `when ${isOneOf(code, codes)} then ${value}`);
  return `case ${cases.join(' ')} else ${otherwise} end`;
}

/** SQL for whether a currency can be charged. */
export const isCurrencySql = (code: string): string => isOneOf(code, [...currencies.keys()]);

/** SQL for whether an amount can be charged in its currency. */
export const isChargeableSql = (amount: string, code: string): string =>
  `${amount} % ${caseOf(code, (each) => currencyOf(each).step)} = 0`;

/**
 * SQL for an amount and its currency as people read them, as `amountText` prints them.
 *
 * @param amount a `numeric` of the scale of the columns
 */
export const amountTextSql = (amount: string, code: string): string =>
  // An amount that its currency cannot express, from before the rule, keeps its decimals.
  `case when ${isChargeableSql(amount, code)}
    then round(${amount}, ${caseOf(code, (each) => String(currencyOf(each).digits))})
    else round(${amount}, ${amountScale}) end || ' ' || ${code}`;
