import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../shared/database/sql.js';
import { productColumns, readProducts } from '../product/read-products.js';
import {
  type Bind,
  currencyOf,
  isSummarized,
  offerCondition,
  parameters,
  priceColumns,
  productCondition,
  requiresCurrency,
  summaryCondition,
} from './filter-conditions.js';
import type { ProductFilter } from './product-filter.js';
import type { PlacedRow, ProductPageQuery, ProductQuery } from './product-query.js';
import { readNewest } from './read-newest.js';

interface PriceOrder {
  readonly order: 'asc' | 'desc';
  readonly comparison: '<' | '>';
}

/** By the cheapest offer that satisfies the filter. Products without a price in the currency are last. */
export async function readByPrice(em: EntityManager, page: ProductPageQuery, order: PriceOrder) {
  const isPriced = !page.after || page.after.value !== null;
  const priced = isPriced ? await readPriced(em, page, order) : [];
  const limit = page.limit - priced.length;
  if (limit === 0 || requiresCurrency(page.filter)) return priced;
  return [
    ...priced,
    ...(await readUnpriced(em, { ...page, limit, after: isPriced ? null : page.after })),
  ];
}

/** At about this number sorting all matches costs as much as scanning offers in order. Tests lower it. */
export const priceSort = { sortedMatchesMax: 2000 };

async function readPriced(em: EntityManager, page: ProductPageQuery, order: PriceOrder) {
  const isNarrow = page.categoryIds !== null || page.tsquery !== null;
  if (isNarrow && (await hasFewMatches(em, page))) return sortMatches(em, page, order);
  // `listed_price` has the lowest price of all, which may be below `minPrice`.
  const isListed = isSummarized(page.filter) && !page.filter.minPrice;
  return isListed ? scanListedPrices(em, page, order) : scanOffers(em, page, order);
}

/** Scans the summary in the order of its lowest prices, which has each product once. */
function scanListedPrices(
  em: EntityManager,
  { after, limit, ...query }: ProductPageQuery,
  { order, comparison }: PriceOrder,
) {
  const { values, bind } = parameters();
  const { lowest } = priceColumns(query.filter);
  const start = after && `(${bind(after.value)}::numeric, ${bind(after.id)}::uuid)`;
  return readProducts<PlacedRow>(
    em,
    `select ${productColumns}, s.${lowest}::text as value
     from listed_price as s join product as p on p.id = s.product_id
     where s.currency_code = ${bind(currencyOf(query.filter))}
       and ${summaryCondition(query.filter, bind)} and ${productCondition(query, bind)}
       and ${start ? `(s.${lowest}, s.product_id) ${comparison} ${start}` : 'true'}
     order by s.${lowest} ${order}, s.product_id ${order} limit ${bind(limit)}`,
    values,
  );
}

async function hasFewMatches(em: EntityManager, query: ProductQuery): Promise<boolean> {
  const { values, bind } = parameters();
  const found = await sql(
    em,
    `select from product as p where ${productCondition(query, bind)} limit ${bind(priceSort.sortedMatchesMax + 1)}`,
    values,
  );
  return found.length <= priceSort.sortedMatchesMax;
}

/**
 * Finds all matches, looks up the lowest price of each that satisfies the filter, and sorts. The limit is not
 * reached: with it PostgreSQL knows that there are few, and looks up prices instead of reading all of them.
 */
function sortMatches(
  em: EntityManager,
  { after, limit, ...query }: ProductPageQuery,
  { order, comparison }: PriceOrder,
) {
  const { values, bind } = parameters();
  const price = priceOfFound(query.filter, bind);
  const product = productCondition(query, bind);
  const start = after && `(${bind(after.value)}::numeric, ${bind(after.id)}::uuid)`;
  return readProducts<PlacedRow>(
    em,
    `with found as materialized (
       select p.id from product as p where ${product} limit ${bind(priceSort.sortedMatchesMax)}),
     page as (
       select found.id, price_amount from found ${price}
       where ${start ? `(price_amount, found.id) ${comparison} ${start}` : 'true'}
       order by price_amount ${order}, found.id ${order} limit ${bind(limit)})
     select ${productColumns}, page.price_amount::text as value
     from page join product as p using (id)
     order by page.price_amount ${order}, p.id ${order}`,
    values,
  );
}

/** SQL that joins to each product of `found` its lowest price that satisfies the filter. */
function priceOfFound(filter: ProductFilter, bind: Bind): string {
  const currency = bind(currencyOf(filter));
  const ofOffers = `select o.price_amount from offer_listing as o
    where o.product_id = found.id and o.currency_code = ${currency}
      and ${offerCondition(filter, bind)('o')}
    order by o.price_amount limit 1`;
  if (!isSummarized(filter)) return `cross join lateral (${ofOffers}) as cheapest`;
  const { lowest } = priceColumns(filter);
  const isInRange = filter.minPrice ? `s.${lowest} >= ${bind(filter.minPrice)}::numeric` : 'true';
  return `join listed_price as s on s.product_id = found.id and s.currency_code = ${currency}
       and ${summaryCondition(filter, bind)}
     cross join lateral (
       select case when ${isInRange} then s.${lowest} else (${ofOffers}) end as price_amount
     ) as cheapest`;
}

/**
 * Scans the offers in the order of their prices, and takes each product at its cheapest offer. The cost of
 * a page depends neither on its position nor on the number of products.
 */
function scanOffers(
  em: EntityManager,
  { after, limit, ...query }: ProductPageQuery,
  { order, comparison }: PriceOrder,
) {
  const { values, bind } = parameters();
  const product = productCondition(query, bind);
  const offer = offerCondition(query.filter, bind);
  const currency = bind(currencyOf(query.filter));
  const start = after && `(${bind(after.value)}::numeric, ${bind(after.id)}::uuid)`;
  return readProducts<PlacedRow>(
    em,
    `select ${productColumns}, o.price_amount::text as value
     from offer_listing as o join product as p on p.id = o.product_id
     where o.currency_code = ${currency} and ${offer('o')} and ${product}
       and ${start ? `(o.price_amount, o.product_id) ${comparison} ${start}` : 'true'}
       and not exists (
         select from offer_listing as c
         where c.product_id = o.product_id and c.currency_code = ${currency} and ${offer('c')}
           and (c.price_amount, c.sku, c.shop_id) < (o.price_amount, o.sku, o.shop_id))
     order by o.price_amount ${order}, o.product_id ${order} limit ${bind(limit)}`,
    values,
  );
}

/** Products without a price in the filter's currency, newest first. */
function readUnpriced(em: EntityManager, page: ProductPageQuery) {
  return readNewest(em, page, (bind) => {
    const currency = bind(currencyOf(page.filter));
    const offer = isSummarized(page.filter)
      ? `listed_price as u where u.${priceColumns(page.filter).lowest} is not null`
      : `offer_listing as u where ${offerCondition(page.filter, bind)('u')}`;
    return `not exists (
      select from ${offer} and u.product_id = p.id and u.currency_code = ${currency})`;
  });
}
