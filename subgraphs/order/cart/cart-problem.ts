import Big from 'big.js';
import type { OfferForSale } from '../../contracts/shop.js';
import { identityOf } from '../../shared/auth/callers.js';
import type { BatchLoad } from '../../shared/graphql/context.js';
import { enumOf } from '../../shared/graphql/enum-of.js';
import type { OrderContext } from '../context.js';
import { readPurchases } from '../purchase-limit/count-purchases.js';
import { readSalePurchases } from '../sale-limit/read-sale-purchases.js';
import { readAvailable } from '../warehouse-client/availability.js';
import { readAvailableInSales } from '../warehouse-client/sale-stock.js';
import { type CartLine, lineKeyOf } from './cart.js';
import { type Bought, lineLimits } from './line-limits.js';
import { readHolds } from './read-holds.js';

export const CartProblem = enumOf(
  'CartProblem',
  'Why a line of the cart cannot be checked out as it is.',
  {
    INSUFFICIENT_STOCK: 'Fewer units are available than the line has.',
    PRICE_CHANGED: 'The price has changed since the line was last changed.',
    SALE_NOT_OPEN: 'The sale of the line is not LIVE, or the offer is sold in its sale only.',
    OFFER_GONE: 'The offer is no longer for sale.',
    LIMIT_EXCEEDED:
      'The line exceeds the purchase limit, or that of its sale, together with earlier orders.',
    HOLD_LIMIT_EXCEEDED:
      'The customer has too many unpaid orders, or too many units of the offer in them, or let too many holds in the sale expire.',
  },
);
export type CartProblem = keyof typeof CartProblem;

/** The problem of each line of a cart: two requests to subgraphs and three statements, and some more with sales. */
export const loadProblems: BatchLoad<CartLine, CartProblem | null, OrderContext> = async (
  lines,
  context,
) => {
  const { readOffers, warehouse } = context.app;
  const byId = await readOffers(lines.map(({ offerId }) => offerId));
  const offers = [...byId.values()];
  const inSales = lines.flatMap((line) => {
    const { offerId, saleId } = line;
    const offer = byId.get(offerId);
    return saleId && offer && isSold(line, offer) ? { ...offer, offerId, saleId } : [];
  });
  const customerId = identityOf(context).id;
  const saleIds = [...new Set(inSales.map(({ saleId }) => saleId))];
  const [available, already, availableInSales, boughtInSales, holds] = await Promise.all([
    readAvailable(warehouse, offers),
    readPurchases(context.em, customerId, offers),
    readAvailableInSales(warehouse, inSales),
    readSalePurchases(context.em, customerId, inSales),
    readHolds(context.em, customerId, saleIds),
  ]);
  const { holdLimits } = context.app;
  const ofOffers = Map.groupBy(lines, ({ offerId }) => offerId);
  const isHeldBack = (line: CartLine, offer: OfferForSale) =>
    holds.openOrders >= holdLimits.openOrdersMax ||
    unitsOf(ofOffers.get(offer.id)) + (holds.openUnits[offer.id] ?? 0) >
      Math.max(holdLimits.openUnitsMax, offer.holdLimit ?? 0) ||
    (offer.sale?.admission !== 'QUEUED' &&
      holds.expired.some((each) => each.offerId === offer.id && each.saleId === line.saleId));
  const facts = new Map(
    offers.map((offer, n) => [
      offer.id,
      { offer, available: available[n] ?? 0, already: already[n] ?? 0, inSale: 0 },
    ]),
  );
  const ofSales = new Map(
    inSales.map(({ offerId, saleId }, n) => [
      lineKeyOf(offerId, saleId),
      { available: availableInSales[n]?.available ?? 0, inSale: boughtInSales[n] ?? 0 },
    ]),
  );
  return lines.map((line) => {
    const ofOffer = facts.get(line.offerId);
    const ofSale = ofSales.get(lineKeyOf(line.offerId, line.saleId));
    const isHeld = ofOffer ? isHeldBack(line, ofOffer.offer) : false;
    return problemOf(line, ofOffer && { ...ofOffer, ...ofSale, isHeldBack: isHeld });
  });
};

interface Facts extends Bought {
  readonly offer: OfferForSale;
  /** units as the line is bought: regular ones, or those of its sale */
  readonly available: number;
  /** whether a limit of unpaid orders prevents the checkout of the line */
  readonly isHeldBack: boolean;
}

const unitsOf = (lines: readonly CartLine[] = []) =>
  lines.reduce((units, { quantity }) => units + quantity, 0);

/** The gravest problem: one that prevents a checkout comes before a changed price. */
function problemOf(line: CartLine, facts: Facts | undefined): CartProblem | null {
  if (!facts) return 'OFFER_GONE';
  const { offer, available } = facts;
  const { saleId, quantity } = line;
  const sale = saleId ? offer.sale : null;
  if (!isSold(line, offer)) return 'SALE_NOT_OPEN';
  if (available < quantity) return 'INSUFFICIENT_STOCK';
  if (lineLimits(line, offer, facts).length > 0) return 'LIMIT_EXCEEDED';
  if (facts.isHeldBack) return 'HOLD_LIMIT_EXCEEDED';
  const price = sale?.priceAmount ?? offer.priceAmount;
  const isSame =
    offer.currencyCode === line.currencyCode && new Big(price).eq(line.unitPriceAmount);
  return isSame ? null : 'PRICE_CHANGED';
}

/** Whether an offer is sold now as its line says: in its sale, or at the regular price. */
const isSold = ({ saleId }: CartLine, offer: OfferForSale | undefined) => {
  const sale = offer?.sale;
  const isLive = sale?.state === 'LIVE';
  return saleId ? isLive && sale.id === saleId : !isLive || sale.whenSoldOut !== 'SOLD_OUT';
};
