import type { OfferForSale } from '../../contracts/shop.js';
import { type LimitViolation, limitViolations } from '../purchase-limit/count-purchases.js';
import type { CartLine } from './cart.js';

/** Units that a customer has bought before. */
export interface Bought {
  /** of the offer, in orders that are not cancelled */
  readonly already: number;
  /** of the offer in the sale of the line */
  readonly inSale: number;
}

/** The limits of units for each customer that a line exceeds: that of the offer, and that of its sale. */
export function lineLimits(
  { offerId, saleId, quantity }: Pick<CartLine, 'offerId' | 'saleId' | 'quantity'>,
  offer: OfferForSale,
  { already, inSale }: Bought,
): LimitViolation[] {
  const limit = saleId ? (offer.sale?.limitPerCustomer ?? null) : null;
  const ofSale = limitViolations({ ...offer, offerId, quantity, purchaseLimit: limit }, inSale);
  return [
    ...limitViolations({ ...offer, offerId, quantity }, already),
    ...ofSale.map((violation) => ({ ...violation, saleId })),
  ];
}
