import type { BatchLoad } from '../../shared/context.js';
import { sql } from '../../shared/database.js';
import type { ShopContext } from '../context.js';
import { type OfferRow, offerColumns } from '../offer/offer-row.js';

export interface OffersOf {
  readonly sku: string;
  /** of this shop only; null for all shops */
  readonly shopId: string | null;
  readonly first: number;
}

/** The cheapest active offers of each of many variants, as many as are asked for, in one statement. */
export const loadCheapestOffers: BatchLoad<OffersOf, OfferRow[], ShopContext> = async (
  keys,
  { em },
) => {
  const rows = await sql<OfferRow & { at: string }>(
    em,
    `select wanted.at, o.* from unnest($1::text[], $2::uuid[], $3::int[])
       with ordinality as wanted (of_sku, of_shop, rows_max, at)
     cross join lateral (
       select ${offerColumns} from offer
       where sku = wanted.of_sku and active
         and (wanted.of_shop is null or shop_id = wanted.of_shop)
       order by price_amount, id limit wanted.rows_max
     ) o order by wanted.at, o."priceAmount", o.id`,
    [keys.map(({ sku }) => sku), keys.map(({ shopId }) => shopId), keys.map(({ first }) => first)],
  );
  const byKey = Map.groupBy(rows, ({ at }) => Number(at) - 1);
  return keys.map((_, at) => byKey.get(at) ?? []);
};
