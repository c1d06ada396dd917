import type { EntityManager } from '@mikro-orm/postgresql';
import { type ProductRow, productColumns, readProducts } from '../product/read-products.js';
import type { Place } from './cursor.js';
import { type Asked, type Bind, condition, parameters } from './filter-conditions.js';
import { ProductSort } from './product-filter.js';
import { readByPrice } from './read-by-price.js';

export interface AskedPage extends Asked {
  readonly sort: ProductSort;
  /** what it begins behind */
  readonly after: Place | null;
  /** how many rows at most */
  readonly limit: number;
}

/** A product with its value under the sort. */
export type PlacedRow = ProductRow & Place;

export function readPage(em: EntityManager, page: AskedPage): Promise<PlacedRow[]> {
  switch (page.sort) {
    case ProductSort.PRICE_ASC:
      return readByPrice(em, page, { order: 'asc', behind: '>' });
    case ProductSort.PRICE_DESC:
      return readByPrice(em, page, { order: 'desc', behind: '<' });
    case ProductSort.NAME:
      return readByName(em, page);
    case ProductSort.RELEVANCE:
      return readByRank(em, page);
    case ProductSort.NEWEST:
      return readNewest(em, page);
  }
}

/** @param also a further condition, which decides on the page alone */
export function readNewest(
  em: EntityManager,
  { after, limit, ...asked }: Omit<AskedPage, 'sort'>,
  also: (bind: Bind) => string = () => 'true',
): Promise<PlacedRow[]> {
  const { values, bind } = parameters();
  return readProducts(
    em,
    `select ${productColumns}, null as value from product as p
     where ${condition(asked, bind)} and ${also(bind)}
       and ${after ? `p.id < ${bind(after.id)}::uuid` : 'true'}
     order by p.id desc limit ${bind(limit)}`,
    values,
  );
}

function readByName(em: EntityManager, { after, limit, ...asked }: AskedPage) {
  const { values, bind } = parameters();
  const behind = after && `> (${bind(after.value)}::text, ${bind(after.id)}::uuid)`;
  return readProducts<PlacedRow>(
    em,
    `select ${productColumns}, lower(p.name::text) as value from product as p
     where ${condition(asked, bind)}
       and ${behind ? `(lower(p.name::text), p.id) ${behind}` : 'true'}
     order by lower(p.name::text), p.id limit ${bind(limit)}`,
    values,
  );
}

function readByRank(em: EntityManager, { after, limit, ...asked }: AskedPage) {
  const { values, bind } = parameters();
  const rank = `ts_rank(p.search, ${bind(asked.query)}::tsquery)`;
  const behind = after && `< (${bind(after.value)}::real, ${bind(after.id)}::uuid)`;
  return readProducts<PlacedRow>(
    em,
    `select ${productColumns}, ${rank}::text as value from product as p
     where ${condition(asked, bind)} and ${behind ? `(${rank}, p.id) ${behind}` : 'true'}
     order by ${rank} desc, p.id desc limit ${bind(limit)}`,
    values,
  );
}
