import { badInput, conflict } from '../../shared/errors.js';
import { amountText } from '../../shared/money.js';
import { readCartLines } from '../cart/read-cart.js';
import type { OrderApp } from '../context.js';
import { itemsMax } from '../order/shop-order.js';
import type { CheckoutItemInput } from './checkout-input.js';
import { type OrderLine, totalOf } from './new-order.js';
import type { Outcome } from './outcome.js';
import { findPriceChange } from './price-change.js';
import { findSaleRefusal } from './sale-window.js';

const totalMax = 999_999_999_999;

/**
 * The lines of a checkout at current prices: the given items, or the cart. A line has the price of its sale if it names
 * one that is LIVE, and the regular price if it names none; any other is refused.
 *
 * @param items null for the cart
 * @returns the lines, or the refusal
 * @throws `BAD_USER_INPUT` for a total that cannot be paid, or an expected one that the currency cannot
 *   express, `CONFLICT` for a cart with too many
 *   lines, `TRY_AGAIN`
 */
export async function readOrderedLines(
  app: OrderApp,
  customerId: string,
  items: readonly CheckoutItemInput[] | null,
  expectedTotal: string | null | undefined,
): Promise<{ lines: OrderLine[] } | { refusal: Outcome }> {
  const wanted = items ?? (await readCartLines(app.orm.em.fork(), customerId));
  if (wanted.length === 0) return { refusal: { kind: 'empty' } };
  if (wanted.length > itemsMax) throw conflict(`A checkout can have ${itemsMax} lines at most.`);
  const offerIds = wanted.map(({ offerId }) => offerId);
  const offers = await app.readOffers(offerIds);
  const refusal = findRefusal(offerIds, offers);
  if (refusal) return { refusal };
  const lines = wanted.map(({ offerId, saleId, quantity }) => {
    return { offer: offers.get(offerId) as OrderLine['offer'], saleId: saleId ?? null, quantity };
  });
  const notInSale = findSaleRefusal(lines);
  if (notInSale) return { refusal: notInSale };
  requirePayable(lines);
  const changed = expectedTotal
    ? await findPriceChange(app, customerId, lines, expectedTotal)
    : null;
  return changed ? { refusal: changed } : { lines };
}

function findRefusal(
  offerIds: readonly string[],
  offers: ReadonlyMap<string, OrderLine['offer']>,
): Outcome | null {
  const gone = offerIds.filter((id) => !offers.has(id));
  if (gone.length > 0) return { kind: 'gone', offerIds: gone };
  const currencyCodes = [...new Set([...offers.values()].map((offer) => offer.currencyCode))];
  return currencyCodes.length > 1 ? { kind: 'mixed', currencyCodes } : null;
}

/** @throws `BAD_USER_INPUT` for a total that cannot be paid: 0, or beyond the maximum */
function requirePayable(lines: readonly OrderLine[]): void {
  const total = totalOf(lines);
  if (Number(total) > 0 && Number(total) <= totalMax) return;
  const currencyCode = lines[0]?.offer.currencyCode as string;
  throw badInput({
    'input.items': `total is ${amountText(total, currencyCode)}: must be more than 0, and ${totalMax} at most`,
  });
}
