import type { EntityManager } from '@mikro-orm/postgresql';
import { productColumns, readProducts } from '../product/read-products.js';
import { condition, parameters } from './filter-conditions.js';
import { ProductSort } from './product-filter.js';
import type { PlacedRow, ProductPageQuery } from './product-query.js';
import { readByPrice } from './read-by-price.js';
import { readNewest } from './read-newest.js';

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
    `select ${productColumns}, lower(p.name::text) as value from product as p
     where ${condition(query, bind)}
       and ${start ? `(lower(p.name::text), p.id) ${start}` : 'true'}
     order by lower(p.name::text), p.id limit ${bind(limit)}`,
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
