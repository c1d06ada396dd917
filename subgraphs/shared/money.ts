import Big from 'big.js';
import { Directive, Field, ObjectType } from 'type-graphql';
import { amountScale, currencyOf } from './currencies.js';
import { Decimal } from './graphql/scalars.js';
import { Allow } from './rights/rights.js';

@Directive('@shareable')
@Allow('parent')
@ObjectType({ description: 'Exact amount of money.' })
export class Money {
  @Field(() => Decimal, {
    description:
      'Amount in units of the currency, with its decimals: "19.90" USD, "500" JPY, "1.250" KWD.',
  })
  amount!: string;

  @Field(() => String, { description: 'Currency code of ISO 4217, such as "USD".' })
  currencyCode!: string;
}

/** As `printAmount` prints it, with its currency. */
export function money(amount: string, currencyCode: string): Money {
  return Object.assign(new Money(), { amount: printAmount(amount, currencyCode), currencyCode });
}

/**
 * An amount with the decimals of its currency: "19.90" of USD, "500" of JPY, "1.250" of KWD. It is never
 * rounded: one that its currency cannot express, from before the rule, keeps its decimals.
 */
export function printAmount(amount: string, currencyCode: string): string {
  const { digits } = currencyOf(currencyCode);
  // As a column has it: a page of products has a hundred of them, which skip Big.
  if (amount.at(-amountScale - 1) === '.') {
    if (digits === amountScale) return amount;
    if (digits > amountScale) return amount.padEnd(amount.length + digits - amountScale, '0');
    if (amount.endsWith(noFraction)) return amount.slice(0, -noFraction.length);
  }
  const exact = new Big(amount);
  const printed = exact.toFixed(digits);
  return exact.eq(printed) ? printed : exact.toFixed();
}
const noFraction = `.${'0'.repeat(amountScale)}`;

/** An amount and its currency, for texts: "500 JPY". */
export const amountText = (amount: string, currencyCode: string): string =>
  `${printAmount(amount, currencyCode)} ${currencyCode}`;

/** unit price × quantity, exact, as columns store amounts */
export const lineTotal = (unitPrice: string, quantity: number): string =>
  new Big(unitPrice).times(quantity).toFixed(amountScale);

/** The price of units of several lines, exact, as columns store amounts. */
export const priceOf = (
  lines: readonly { readonly unitPrice: string; readonly quantity: number }[],
): string => sumOf(lines.map(({ unitPrice, quantity }) => lineTotal(unitPrice, quantity)));

/** exact, as columns store amounts */
export const sumOf = (amounts: readonly string[]): string =>
  amounts.reduce((sum, amount) => sum.plus(amount), new Big(0)).toFixed(amountScale);

/** The lower of two amounts. */
export const lower = (a: Big, b: Big): Big => (a.lt(b) ? a : b);
