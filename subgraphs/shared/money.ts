import Big from 'big.js';
import { Directive, Field, ObjectType } from 'type-graphql';
import { Decimal } from './graphql/scalars.js';
import { Allow } from './rights/rights.js';

@Directive('@shareable')
@Allow('parent')
@ObjectType({ description: 'Exact amount of money.' })
export class Money {
  @Field(() => Decimal, { description: 'Amount in units of the currency, such as "19.90".' })
  amount!: string;

  @Field(() => String, { description: 'Currency code of ISO 4217, such as "USD".' })
  currencyCode!: string;
}

export const currencyDefault = 'USD';
const fractionDigits = 2;
// The format of a numeric(12,2) column: a page of products has a hundred of them, which skip Big.
const canonicalPattern = /^-?\d+\.\d\d$/;

export function money(amount: string, currencyCode: string): Money {
  const value = canonicalPattern.test(amount) ? amount : new Big(amount).toFixed(fractionDigits);
  return Object.assign(new Money(), { amount: value, currencyCode });
}

/** unit price × quantity, exact */
export const lineTotal = (unitPrice: string, quantity: number): string =>
  new Big(unitPrice).times(quantity).toFixed(fractionDigits);

export const sumOf = (amounts: readonly string[]): string =>
  amounts.reduce((sum, amount) => sum.plus(amount), new Big(0)).toFixed(fractionDigits);
