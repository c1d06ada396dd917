import { sqlPrepared } from '../../shared/database/sql.js';
import type { BatchLoad } from '../../shared/graphql/context.js';
import { requireRowsWithin, rowsMax } from '../../shared/graphql/rows-max.js';
import type { ShopContext } from '../context.js';
import { type OfferOfShop, type OfferRow, offerColumns } from '../offer/read-offers.js';
import { liveSaleJoins } from '../sale-window/sale-sql.js';
import type { ShopRow } from '../shop/read-shops.js';

export interface OffersOf {
  readonly sku: string;
  /** offers of this shop only; null: of all shops */
  readonly shopId: string | null;
  readonly first: number;
}

interface Found extends OfferRow {
  /** position of its key, from 1 */
  readonly at: number;
  readonly shopName: string;
  readonly shopSlug: string;
  readonly ownerId: string;
  readonly shopCurrencyCode: string;
}

const isRequested = `offer.sku = requested.of_sku and offer.active
  and (requested.of_shop is null or offer.shop_id = requested.of_shop)`;

/**
 * The cheapest active offers of many variants, at most `first` of each, in one statement. Those in a live sale count at
 * its price, which is not above the regular one: so the cheapest are among the cheapest at regular prices and those in
 * a live sale. Shops are joined:
 * a page of products has more than a hundred offers, of few shops. Fails with `BAD_USER_INPUT` beyond `rowsMax` offers.
 */
export const loadCheapestOffers: BatchLoad<OffersOf, OfferOfShop[], ShopContext> = async (
  keys,
  { em },
) => {
  const rows = await sqlPrepared<Found>(
    em,
    `select requested.at::int, o.*, shop.name as "shopName", shop.slug as "shopSlug",
       shop.owner_id as "ownerId", shop.currency_code as "shopCurrencyCode"
     from unnest($1::text[], $2::uuid[], $3::int[])
       with ordinality as requested (of_sku, of_shop, rows_max, at)
     cross join lateral (
       select ${offerColumns}, current_price
       from (
         select found.id, min(found.price) from (
           (select id, price_amount as price from offer where ${isRequested}
            order by price_amount, id limit requested.rows_max)
           union all
           (select offer.id, live_offer.price_amount from offer ${liveSaleJoins('join')}
            where ${isRequested})
         ) as found group by found.id order by 2, 1 limit requested.rows_max
       ) as cheapest (offer_id, current_price) join offer on offer.id = cheapest.offer_id
     ) o join shop on shop.id = o."shopId"
     order by requested.at, o.current_price, o.id limit ${rowsMax + 1}`,
    [keys.map(({ sku }) => sku), keys.map(({ shopId }) => shopId), keys.map(({ first }) => first)],
  );
  const shops = new Map<string, ShopRow>();
  const found: OfferOfShop[][] = keys.map(() => []);
  for (const row of requireRowsWithin(rows)) {
    const shop = shops.get(row.shopId) ?? shopOf(row);
    shops.set(row.shopId, shop);
    found[row.at - 1]?.push(Object.assign(row, { shopRow: shop }));
  }
  return found;
};

const shopOf = ({ shopId, shopName, shopSlug, ownerId, shopCurrencyCode }: Found): ShopRow => ({
  id: shopId,
  name: shopName,
  slug: shopSlug,
  ownerId,
  currencyCode: shopCurrencyCode,
});
