import Big from 'big.js';
import { findAmountProblem } from '../../shared/currencies.js';
import { badInput } from '../../shared/errors.js';
import { type Money, money } from '../../shared/money.js';
import { lineKeyOf } from '../cart/cart.js';
import { readCartLines } from '../cart/read-cart.js';
import type { OrderApp } from '../context.js';
import { type OrderLine, saleOf, totalOf, unitPriceOf } from './new-order.js';
import type { Outcome } from './outcome.js';

/**
 * The change of each line's price since the cart, if the total is not the expected one.
 *
 * @throws `BAD_USER_INPUT` for an expected total that the currency of the lines cannot express
 */
export async function findPriceChange(
  app: OrderApp,
  customerId: string,
  lines: readonly OrderLine[],
  expectedTotal: string,
): Promise<Outcome | null> {
  const actual = totalOf(lines);
  if (new Big(actual).eq(expectedTotal)) return null;
  const currencyCode = lines[0]?.offer.currencyCode as string;
  const problem = findAmountProblem(expectedTotal, currencyCode);
  if (problem) throw badInput({ 'input.expectedTotal': problem });
  const inCart = await readCartLines(app.orm.em.fork(), customerId);
  const oldPrices = new Map(
    inCart.map((line) => [
      lineKeyOf(line.offerId, line.saleId),
      plain(line.unitPriceAmount, line.currencyCode),
    ]),
  );
  const facts = lines.map((line) => ({
    offerId: line.offer.id,
    oldPrice: oldPrices.get(lineKeyOf(line.offer.id, saleOf(line)?.id)) ?? null,
    newPrice: plain(unitPriceOf(line), line.offer.currencyCode),
  }));
  return {
    kind: 'price',
    lines: facts.filter(({ oldPrice, newPrice }) => !isSame(oldPrice, newPrice)),
    expected: plain(expectedTotal, currencyCode),
    actual: plain(actual, currencyCode),
  };
}

const plain = (amount: string, currencyCode: string): Money => ({ ...money(amount, currencyCode) });

const isSame = (one: Money | null, other: Money) =>
  one?.amount === other.amount && one.currencyCode === other.currencyCode;
