import type { EntityManager } from '@mikro-orm/postgresql';
import { productColumns, readProducts } from '../product/read-products.js';
import { condition, parameters } from './filter-conditions.js';
import { ProductSort } from './product-filter.js';
import type { PlacedRow, ProductPageQuery } from './product-query.js';
import { readByPrice } from './read-by-price.js';
import { readNewest } from './read-newest.js';

/**
 * Reads a page with the strategy that fits its sort and filter.
 *
 * | sort      | filter                                | strategy           | order comes from          |
 * |-----------|---------------------------------------|--------------------|---------------------------|
 * | NEWEST    | any                                   | `readNewest`       | product_newest            |
 * | NAME      | any                                   | `readByName`       | product_by_name           |
 * | RELEVANCE | search; without one it is NEWEST      | `readByRank`       | sort of all matches       |
 * | PRICE_…   | category or search, few matches       | `sortMatches`      | sort of all matches       |
 * |           | otherwise, no shop and no `minPrice`  | `scanListedPrices` | listed_price_lowest_…     |
 * |           | otherwise                             | `scanOffers`       | offer_listing_by_price    |
 * |           | no price and no currency: at the end  | `readUnpriced`     | product_newest            |
 *
 * Matches of a search are found by product_search, those of a category by product_category_newest. PostgreSQL
 * may find and sort them for NEWEST and NAME too, where they are few. What a filter requires of an offer is
 * checked for each product: in listed_price by its primary key; for one shop by offer_listing_shop; for a
 * price range that lies inside the product's own by offer_listing_product. plans.test.ts checks that no page
 * scans the products, variants or offers as a whole.
 */
export function readPage(em: EntityManager, page: ProductPageQuery): Promise<PlacedRow[]> {
  switch (page.sort) {
    case ProductSort.PRICE_ASC:
      return readByPrice(em, page, { order: 'asc', comparison: '>' });
    case ProductSort.PRICE_DESC:
      return readByPrice(em, page, { order: 'desc', comparison: '<' });
    case ProductSort.NAME:
      return readByName(em, page);
    case ProductSort.RELEVANCE:
      return readByRank(em, page);
    case ProductSort.NEWEST:
      return readNewest(em, page);
  }
}

function readByName(em: EntityManager, { after, limit, ...query }: ProductPageQuery) {
  const { values, bind } = parameters();
  const start = after && `> (${bind(after.value)}::text, ${bind(after.id)}::uuid)`;
  return readProducts<PlacedRow>(
    em,
    `select ${productColumns}, p.name as value from product as p
     where ${condition(query, bind)} and ${start ? `(p.name, p.id) ${start}` : 'true'}
     order by p.name, p.id limit ${bind(limit)}`,
    values,
  );
}

function readByRank(em: EntityManager, { after, limit, ...query }: ProductPageQuery) {
  const { values, bind } = parameters();
  const rank = `ts_rank(p.search, ${bind(query.tsquery)}::tsquery)`;
  const start = after && `< (${bind(after.value)}::real, ${bind(after.id)}::uuid)`;
  return readProducts<PlacedRow>(
    em,
    `select ${productColumns}, ${rank}::text as value from product as p
     where ${condition(query, bind)} and ${start ? `(${rank}, p.id) ${start}` : 'true'}
     order by ${rank} desc, p.id desc limit ${bind(limit)}`,
    values,
  );
}
