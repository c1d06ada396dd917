import { identityOf } from '../../shared/auth/callers.js';
import { sql } from '../../shared/database/sql.js';
import { type Once, transact } from '../../shared/database/transact.js';
import { badInput } from '../../shared/errors.js';
import { result } from '../../shared/graphql/refusal.js';
import type { OrderContext } from '../context.js';
import { limitViolations, readPurchases } from '../purchase-limit/count-purchases.js';
import { readAvailable } from '../warehouse-client/availability.js';
import { insufficientStock, limitExceeded, OfferGone } from './cart-refusals.js';
import type { CartResult, SetCartItemInput } from './cart-types.js';
import { changeCart, quantityMax } from './change-cart.js';
import { readCart } from './read-cart.js';

/**
 * Adds units of an offer to the caller's cart, or sets their number, if the stock and the purchase
 * limit allow it. Name and price of the line become the current ones.
 *
 * @returns the cart, or why it was not changed
 * @throws `BAD_USER_INPUT` beyond 10,000 units, `CONFLICT` beyond 100 lines, `TRY_AGAIN`
 */
export async function putInCart(
  context: OrderContext,
  { offerId, quantity }: SetCartItemInput,
  how: 'add' | 'set',
  once?: Once<typeof CartResult>,
): Promise<typeof CartResult> {
  const { id } = identityOf(context);
  const wanted = quantity + (how === 'add' ? await quantityOf(context, id, offerId) : 0);
  if (wanted > quantityMax) {
    throw badInput({ 'input.quantity': `would make ${wanted} units; the limit is ${quantityMax}` });
  }
  const offer = (await context.app.readOffers([offerId])).get(offerId);
  if (!offer) {
    const message = 'This offer is no longer available.';
    return result(OfferGone, { message, offerIds: [offerId] });
  }
  const { shopId, sku, name, purchaseLimit, priceAmount, currencyCode } = offer;
  const [[available = 0], [already = 0]] = await Promise.all([
    readAvailable(context.app.warehouse, [offer]),
    readPurchases(context.em, id, [offer]),
  ]);
  if (available < wanted) {
    return insufficientStock([{ offerId, requested: wanted, available }]);
  }
  const line = { offerId, shopId, sku, quantity: wanted, purchaseLimit };
  const violations = limitViolations(line, already);
  if (violations.length > 0) return limitExceeded(violations);
  const change = { offerId, quantity, name, unitPriceAmount: priceAmount, currencyCode };
  const work = async (tx: typeof context.em): Promise<typeof CartResult> => {
    await changeCart(tx, id, how, [change]);
    return readCart(tx, id);
  };
  return transact(context.em, work, once);
}

async function quantityOf({ em }: OrderContext, customerId: string, offerId: string) {
  const rows = await sql<{ quantity: number }>(
    em,
    'select quantity from cart_item where customer_id = $1 and offer_id = $2',
    [customerId, offerId],
  );
  return rows[0]?.quantity ?? 0;
}
