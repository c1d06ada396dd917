import { sqlPrepared } from '../../shared/database/sql.js';
import { inOrderOf } from '../../shared/graphql/context.js';
import type { ShopContext } from '../context.js';
import type { ShopRow } from '../shop/read-shops.js';
import type { Offer } from './offer.js';

/** An offer as plain data, without change tracking. */
export type OfferRow = Pick<
  Offer,
  | 'id'
  | 'shopId'
  | 'sku'
  | 'name'
  | 'priceAmount'
  | 'compareAtAmount'
  | 'currencyCode'
  | 'purchaseLimit'
  | 'holdLimit'
  | 'saleId'
  | 'active'
  | 'version'
> & { readonly isRemoved: boolean };

/** An offer that was read together with its shop. */
export type OfferOfShop = OfferRow & { readonly shopRow: ShopRow };

/** SQL for the columns of an OfferRow. */
export const offerColumns = `id, shop_id as "shopId", sku, name, price_amount as "priceAmount",
  compare_at_amount as "compareAtAmount", currency_code as "currencyCode",
  purchase_limit as "purchaseLimit", hold_limit as "holdLimit", sale_id as "saleId", active, version,
  removed_at is not null as "isRemoved"`;

/** Offers by id, removed ones too. */
export async function readOffers({ em }: Pick<ShopContext, 'em'>, ids: readonly string[]) {
  return sqlPrepared<OfferRow>(em, `select ${offerColumns} from offer where id = any($1::uuid[])`, [
    ids,
  ]);
}

export async function loadOffers(ids: readonly string[], context: ShopContext) {
  return inOrderOf(ids, await readOffers(context, ids), ({ id }) => id);
}
