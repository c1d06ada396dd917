import type { Databases } from '../databases/clients.js';
import { type Listing, listingsBySku } from '../rebuild/offer-listings.js';
import { misnamedOffers } from '../rebuild/offer-names.js';
import { type Finding, type Invariant, offendingMax } from './invariant.js';

/** The copies that subgraphs keep of each other's data match their sources. */
export const projectionInvariants: Invariant[] = [
  {
    name: 'the listings of product match shop and warehouse',
    whenIdle: true,
    check: offerListings,
  },
  {
    name: 'the names of offers match their products and variants',
    whenIdle: true,
    check: offerNames,
  },
  {
    name: 'the price summaries of products match their listings',
    whenIdle: false,
    check: listedPrices,
  },
];

async function offerNames(databases: Databases): Promise<Finding> {
  let rows = 0;
  const offending: object[] = [];
  for await (const { checked, misnamed } of misnamedOffers(databases)) {
    rows += checked;
    offending.push(...misnamed);
  }
  return { rows, offending: offending.slice(0, offendingMax) as Finding['offending'] };
}

/** Listings and summaries are written in one commit, so this holds at every commit. */
async function listedPrices({ product }: Databases): Promise<Finding> {
  const { rows: counted } = await product.query<{ count: string }>(
    'select count(*) from listed_price',
  );
  const { rows: offending } = await product.query(
    `with made as (
       select product_id, currency_code, min(price_amount), max(price_amount),
         min(price_amount) filter (where in_stock), max(price_amount) filter (where in_stock),
         min(price_amount) filter (where not in_stock),
         max(price_amount) filter (where not in_stock)
       from offer_listing where active group by product_id, currency_code)
     (select 'missing' as what, * from (table made except table listed_price) as m)
     union all (select 'too many', * from (table listed_price except table made) as t)
     limit ${offendingMax}`,
  );
  return { rows: Number(counted[0]?.count), offending };
}

async function offerListings(databases: Databases): Promise<Finding> {
  let rows = 0;
  const offending: object[] = [];
  for await (const { skus, listings } of listingsBySku(databases)) {
    const { rows: listed } = await databases.product.query<Listing>(
      `select shop_id as "shopId", sku, offer_id as "offerId", price_amount as price,
         currency_code as "currencyCode", active, in_stock as "inStock"
       from offer_listing where sku = any($1)`,
      [skus],
    );
    const found = new Map(listed.map((row) => [`${row.shopId} ${row.sku}`, row]));
    rows += listings.size;
    for (const key of new Set([...listings.keys(), ...found.keys()])) {
      const [source, copy] = [listings.get(key), found.get(key)];
      if (comparable(source) !== comparable(copy)) offending.push({ source, copy: copy ?? null });
    }
  }
  return { rows, offending: offending.slice(0, offendingMax) as Finding['offending'] };
}

/** The part of a listing that is compared; if it is inactive, its price does not matter. */
function comparable(listing: Listing | undefined): string {
  if (!listing) return 'false,false';
  const { active, inStock, offerId, price, currencyCode } = listing;
  return [active, inStock, ...(active ? [offerId, price, currencyCode] : [])].join();
}
