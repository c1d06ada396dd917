import Big from 'big.js';
import { Directive, Field, ObjectType } from 'type-graphql';
import { Decimal } from './graphql/scalars.js';
import { Allow } from './rights/rights.js';

@Directive('@shareable')
@Allow('parent')
@ObjectType({ description: 'An amount of money. The amount is exact; it never was a float.' })
export class Money {
  @Field(() => Decimal, { description: 'The amount in whole units of the currency: "19.90".' })
  amount!: string;

  @Field(() => String, { description: 'ISO 4217: three letters.' })
  currencyCode!: string;
}

export const currencyDefault = 'USD';
const fractionDigits = 2;
// What a numeric(12,2) column gives: a page of products has a hundred of them.
const written = /^-?\d+\.\d\d$/;

export function money(amount: string, currencyCode: string): Money {
  const value = written.test(amount) ? amount : new Big(amount).toFixed(fractionDigits);
  return Object.assign(new Money(), { amount: value, currencyCode });
}

/** unit price × quantity, exactly */
export const lineTotal = (unitPrice: string, quantity: number): string =>
  new Big(unitPrice).times(quantity).toFixed(fractionDigits);

export const sumOf = (amounts: readonly string[]): string =>
  amounts.reduce((sum, amount) => sum.plus(amount), new Big(0)).toFixed(fractionDigits);
