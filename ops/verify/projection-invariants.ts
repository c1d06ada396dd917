import { type Listing, listedSaleSql, listingsBySku } from '../rebuild/offer-listings.js';
import { misnamedOffers } from '../rebuild/offer-names.js';
import type { SubgraphName } from '../subgraph-names.js';
import {
  type Finding,
  type Invariant,
  invariantOf,
  madeIn,
  type OffendingRow,
  periodOf,
  type Readers,
  type Scope,
  suspectsMax,
} from './invariant.js';

const summaries = 'the price summaries of products match their listings';

/** Listings and summaries are written in one commit, so this holds at every commit. */
const listedPrices = invariantOf('product', summaries, {
  key: { product_id: 'uuid', currency_code: 'text' },
  with: (only) => `made as (
      select product_id, currency_code, min(price_amount) as lowest, max(price_amount) as highest,
        min(price_amount) filter (where in_stock) as lowest_in_stock,
        max(price_amount) filter (where in_stock) as highest_in_stock,
        min(price_amount) filter (where not in_stock) as lowest_sold_out,
        max(price_amount) filter (where not in_stock) as highest_sold_out
      from offer_listing where active and ${only('product_id, currency_code')}
      group by product_id, currency_code
    ), listed as (
      select product_id, currency_code, lowest, highest, lowest_in_stock, highest_in_stock,
        lowest_sold_out, highest_sold_out
      from listed_price where ${only('product_id, currency_code')})`,
  select:
    () => `select product_id, currency_code, to_jsonb(made) as made, to_jsonb(listed) as listed
    from made full join listed using (product_id, currency_code)`,
  holds: 'made = listed',
});

/** The copies that subgraphs keep of each other's data match their sources. */
export const projectionInvariants: Invariant[] = [
  {
    name: 'the listings of product match shop and warehouse',
    key: ['shopId', 'sku'],
    excuses: true,
    check: offerListings,
  },
  {
    name: 'the names of offers match their products and variants',
    key: ['sku'],
    excuses: true,
    check: offerNames,
  },
  { ...listedPrices, check: summariesOfListings },
];

async function offerNames(readers: Readers, scope: Scope, atRest: boolean): Promise<Finding> {
  let rows = 0;
  const offending: { sku: string }[] = [];
  const skus = await skusOf(readers, scope, ['product.variant.renamed', 'shop.offer.changed']);
  for await (const { checked, misnamed } of misnamedOffers(readers, skus)) {
    rows += checked;
    offending.push(...misnamed);
  }
  const unsent = atRest ? new Set<string>() : await unsentSkus(readers, ['product'], offending);
  return { rows, ...byDelivery(offending, unsent, ({ sku }) => ({ sku })) };
}

async function summariesOfListings(readers: Readers, scope: Scope, atRest: boolean) {
  if (scope.of !== 'changed') return listedPrices.check(readers, scope, atRest);
  const skus = await skusOf(readers, scope, listingTopics);
  const { rows } = await readers.product.query<OffendingRow>(
    `with changed as (select distinct product_id from product_variant where sku = any($1))
     select product_id, currency_code from offer_listing
     where product_id in (select product_id from changed) and active
     union select product_id, currency_code from listed_price
     where product_id in (select product_id from changed)`,
    [skus],
  );
  return listedPrices.check(readers, { of: 'rows', rows }, atRest);
}

const listingTopics = ['shop.offer.changed', 'warehouse.stock.changed', 'product.variant.removed'];

async function offerListings(readers: Readers, scope: Scope, atRest: boolean): Promise<Finding> {
  let rows = 0;
  const offending: { shopId: string; sku: string }[] = [];
  const chosen = await skusOf(readers, scope, listingTopics);
  for await (const { skus, listings } of listingsBySku(readers, chosen)) {
    const { rows: listed } = await readers.product.query<Listing>(
      `select shop_id as "shopId", sku, offer_id as "offerId", price_amount as price,
         currency_code as "currencyCode", active, in_stock as "inStock",
         regular_in_stock as "regularInStock", sale_in_stock as "saleInStock", ${listedSale} as sale
       from offer_listing where sku = any($1)`,
      [skus],
    );
    const found = new Map(listed.map((row) => [`${row.shopId} ${row.sku}`, row]));
    rows += listings.size;
    for (const key of new Set([...listings.keys(), ...found.keys()])) {
      const [source, copy] = [listings.get(key), found.get(key)];
      if (comparable(source) === comparable(copy)) continue;
      const { shopId, sku } = (source ?? copy) as Listing;
      offending.push({ shopId, sku, ...{ source, copy: copy ?? null } });
    }
  }
  const unsent = atRest
    ? new Set<string>()
    : await unsentSkus(readers, ['shop', 'warehouse'], offending);
  return { rows, ...byDelivery(offending, unsent, ({ shopId, sku }) => ({ shopId, sku })) };
}

/** Separates rows that an event in delivery excuses. @param keyOf the columns that identify a row */
function byDelivery<T extends { sku: string }>(
  rows: readonly T[],
  unsent: ReadonlySet<string>,
  keyOf: (row: T) => OffendingRow,
) {
  const offending = rows.filter(({ sku }) => !unsent.has(sku));
  const excused = rows.filter(({ sku }) => unsent.has(sku)).map(keyOf);
  return {
    offending: offending.slice(0, suspectsMax) as unknown as OffendingRow[],
    excused: excused.slice(0, suspectsMax),
  };
}

const listedSale = listedSaleSql({
  id: 'sale_id',
  price: 'sale_amount',
  regular: 'regular_amount',
  startsAt: 'sale_starts_at',
  endsAt: 'sale_ends_at',
  paused: 'sale_paused',
});

/** The part of a listing that is compared; if it is inactive, its prices do not matter. */
function comparable(listing: Listing | undefined): string {
  if (!listing) return 'false,false,false';
  const { active, inStock, offerId, price, currencyCode, sale } = listing;
  const stock = [active, listing.regularInStock, listing.saleInStock];
  if (!active) return stock.join();
  const window = sale && [
    sale.id,
    sale.price,
    sale.regular,
    sale.startsAt,
    sale.endsAt,
    sale.paused,
  ];
  return [...stock, inStock, offerId, price, currencyCode, window].join();
}

/** The skus of a scope: every change of what a copy depends on has an event in an outbox. Null for all. */
async function skusOf(readers: Readers, scope: Scope, topics: readonly string[]) {
  if (scope.of === 'all') return null;
  if (scope.of === 'rows') return [...new Set(scope.rows.map(({ sku }) => sku as string))];
  const producers = [...new Set(topics.map((topic) => topic.split('.')[0] as SubgraphName))];
  const changed = await Promise.all(
    producers.map((producer) =>
      readers[producer].query<{ sku: string }>(
        `select distinct payload->>'sku' as sku from outbox
         where ${madeIn(periodOf(scope, producer), 'id')} and topic = any($1)`,
        [topics],
      ),
    ),
  );
  return [...new Set(changed.flatMap(({ rows }) => rows.map(({ sku }) => sku)))];
}

/** Those of the skus with an event that is not delivered: their copies are late. */
async function unsentSkus(
  readers: Readers,
  producers: readonly SubgraphName[],
  of: readonly { sku: string }[],
): Promise<Set<string>> {
  if (of.length === 0) return new Set();
  const skus = [...new Set(of.map(({ sku }) => sku))];
  const unsent = await Promise.all(
    producers.map((producer) =>
      readers[producer].query<{ sku: string }>(
        `select distinct payload->>'sku' as sku from outbox
         where sent_at is null and dead_at is null and payload->>'sku' = any($1)`,
        [skus],
      ),
    ),
  );
  return new Set(unsent.flatMap(({ rows }) => rows.map(({ sku }) => sku)));
}
