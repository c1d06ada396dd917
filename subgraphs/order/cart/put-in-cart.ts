import { noSale } from '../../contracts/sale.js';
import type { OfferForSale } from '../../contracts/shop.js';
import { identityOf } from '../../shared/auth/callers.js';
import { sql } from '../../shared/database/sql.js';
import { type Once, transact } from '../../shared/database/transact.js';
import { badInput } from '../../shared/errors.js';
import { result } from '../../shared/graphql/refusal.js';
import type { OrderContext } from '../context.js';
import { readPurchases } from '../purchase-limit/count-purchases.js';
import { readSalePurchases } from '../sale-limit/read-sale-purchases.js';
import { readAvailable } from '../warehouse-client/availability.js';
import { readAvailableInSales } from '../warehouse-client/sale-stock.js';
import { insufficientStock, limitExceeded, OfferGone } from './cart-refusals.js';
import type { CartResult, SetCartItemInput } from './cart-types.js';
import { changeCart, quantityMax } from './change-cart.js';
import { lineLimits } from './line-limits.js';
import { readCart } from './read-cart.js';
import { notOpenOf, saleNotOpen } from './sale-not-open.js';

/**
 * Adds units of an offer to the caller's cart, or sets their number, if the stock and the limits of the offer and its
 * sale allow it. Name and price of the line become the current ones, or those of its sale, which need not have
 * started.
 *
 * @returns the cart, or why it was not changed
 * @throws `BAD_USER_INPUT` beyond 10,000 units, `CONFLICT` beyond 100 lines, `TRY_AGAIN`
 */
export async function putInCart(
  context: OrderContext,
  { offerId, saleId = null, quantity }: SetCartItemInput,
  how: 'add' | 'set',
  once?: Once<typeof CartResult>,
): Promise<typeof CartResult> {
  const { id } = identityOf(context);
  const wanted =
    quantity + (how === 'add' ? await quantityOf(context, id, { offerId, saleId }) : 0);
  if (wanted > quantityMax) {
    throw badInput({ 'input.quantity': `would make ${wanted} units; the limit is ${quantityMax}` });
  }
  const offer = (await context.app.readOffers([offerId])).get(offerId);
  if (!offer) {
    const message = 'This offer is no longer available.';
    return result(OfferGone, { message, offerIds: [offerId] });
  }
  const sale = offer.sale?.id === saleId ? offer.sale : null;
  if (saleId && !sale) return saleNotOpen(notOpenOf(offer, saleId));
  const { name, currencyCode } = offer;
  const [available, [already = 0], [inSale = 0]] = await Promise.all([
    readUnits(context, offer, saleId),
    readPurchases(context.em, id, [offer]),
    readSalePurchases(context.em, id, saleId ? [{ offerId, saleId }] : []),
  ]);
  if (available < wanted) {
    return insufficientStock([{ offerId, saleId, requested: wanted, available }]);
  }
  const line = { offerId, saleId, quantity: wanted };
  const violations = lineLimits(line, offer, { already, inSale });
  if (violations.length > 0) return limitExceeded(violations);
  const unitPriceAmount = sale?.priceAmount ?? offer.priceAmount;
  const change = { offerId, saleId, quantity, name, unitPriceAmount, currencyCode };
  const work = async (tx: typeof context.em): Promise<typeof CartResult> => {
    await changeCart(tx, id, how, [change]);
    return readCart(tx, id);
  };
  return transact(context.em, work, once);
}

/** The units that can be bought, as regular ones or in a sale. */
async function readUnits({ app }: OrderContext, offer: OfferForSale, saleId: string | null) {
  if (!saleId) return (await readAvailable(app.warehouse, [offer]))[0] ?? 0;
  return (await readAvailableInSales(app.warehouse, [{ ...offer, saleId }]))[0]?.available ?? 0;
}

async function quantityOf(
  { em }: OrderContext,
  customerId: string,
  { offerId, saleId }: { offerId: string; saleId: string | null },
) {
  const rows = await sql<{ quantity: number }>(
    em,
    'select quantity from cart_item where customer_id = $1 and offer_id = $2 and sale_id = $3',
    [customerId, offerId, saleId ?? noSale],
  );
  return rows[0]?.quantity ?? 0;
}
