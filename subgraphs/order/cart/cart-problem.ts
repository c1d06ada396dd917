import Big from 'big.js';
import type { OfferForSale } from '../../contracts/shop.js';
import { identityOf } from '../../shared/auth/callers.js';
import type { BatchLoad } from '../../shared/graphql/context.js';
import { enumOf } from '../../shared/graphql/enum-of.js';
import type { OrderContext } from '../context.js';
import { limitViolations, readPurchases } from '../purchase-limit/count-purchases.js';
import { readAvailable } from '../warehouse-client/availability.js';
import type { CartLine } from './cart.js';

export const CartProblem = enumOf(
  'CartProblem',
  'Why a line of the cart cannot be checked out as it is.',
  {
    INSUFFICIENT_STOCK: 'Fewer units are available than the line has.',
    PRICE_CHANGED: 'The price has changed since the line was last changed.',
    OFFER_GONE: 'The offer is no longer for sale.',
    LIMIT_EXCEEDED: 'The line exceeds the purchase limit, together with earlier orders.',
  },
);
export type CartProblem = keyof typeof CartProblem;

/** The problem of each line of a cart, by one query to shop, one to warehouse and one statement. */
export const loadProblems: BatchLoad<CartLine, CartProblem | null, OrderContext> = async (
  lines,
  context,
) => {
  const { readOffers, warehouse } = context.app;
  const byId = await readOffers(lines.map(({ offerId }) => offerId));
  const offers = [...byId.values()];
  const [available, already] = await Promise.all([
    readAvailable(warehouse, offers),
    readPurchases(context.em, identityOf(context).id, offers),
  ]);
  const facts = new Map(
    offers.map((offer, n) => [
      offer.id,
      { offer, available: available[n] ?? 0, already: already[n] ?? 0 },
    ]),
  );
  return lines.map((line) => problemOf(line, facts.get(line.offerId)));
};

interface Facts {
  readonly offer: OfferForSale;
  readonly available: number;
  readonly already: number;
}

/** The gravest problem: one that prevents a checkout comes before a changed price. */
function problemOf(line: CartLine, facts: Facts | undefined): CartProblem | null {
  if (!facts) return 'OFFER_GONE';
  const { offer, available, already } = facts;
  const { offerId, quantity } = line;
  if (available < quantity) return 'INSUFFICIENT_STOCK';
  if (limitViolations({ ...offer, offerId, quantity }, already).length > 0) return 'LIMIT_EXCEEDED';
  const isSame =
    offer.currencyCode === line.currencyCode && new Big(offer.priceAmount).eq(line.unitPriceAmount);
  return isSame ? null : 'PRICE_CHANGED';
}
