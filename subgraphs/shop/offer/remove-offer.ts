import { sql } from '../../shared/database/sql.js';
import { transact } from '../../shared/database/transact.js';
import { notFound } from '../../shared/errors.js';
import type { ShopContext } from '../context.js';
import { findSaleOfOffer, inSale } from '../sale-window/sale-of-offer.js';
import { requireOwnShop } from '../shop/require-shop.js';
import { enqueueOfferChanged } from './offer-changed.js';
import { type OfferRow, offerColumns, readOffers } from './read-offers.js';

/**
 * Removes an offer. Its row stays: orders refer to it, and `setOffer` can restore it. Removing it again
 * changes nothing.
 *
 * @throws `NOT_FOUND`, `FORBIDDEN`, and `CONFLICT` while it is in a sale that has not ended
 */
export async function removeOffer(context: ShopContext, id: string): Promise<boolean> {
  const [offer] = await readOffers(context, [id]);
  if (!offer) throw notFound('offer', id);
  await requireOwnShop(context, offer.shopId);
  return transact(context.em, async (tx) => {
    const removed = await sql<OfferRow>(
      tx,
      `update offer set active = false, removed_at = now(), version = version + 1, updated_at = now()
       where id = $1 and removed_at is null returning ${offerColumns}`,
      [id],
    );
    const sale = removed[0] && (await findSaleOfOffer(tx, removed[0]));
    if (sale) throw inSale(sale);
    await enqueueOfferChanged(tx, removed);
    return true;
  });
}
