import type { EntityManager } from '@mikro-orm/postgresql';
import Big from 'big.js';
import { findAmountProblem } from '../../shared/currencies.js';
import { sql } from '../../shared/database/sql.js';
import { badInput } from '../../shared/errors.js';
import {
  type Connection,
  type PageArgs,
  pageRequest,
  toConnection,
} from '../../shared/graphql/connection.js';
import { subtreeIdsSql } from '../category/category.js';
import type { ProductRow } from '../product/read-products.js';
import { productQuery } from '../search/search-query.js';
import { placeIn, readPlace } from './cursor.js';
import { countOf, currencyOf, parameters } from './filter-conditions.js';
import { type ProductFilter, ProductSort } from './product-filter.js';
import type { ProductQuery } from './product-query.js';
import { readPage } from './read-page.js';

/** A page of products; `count` counts the products of all pages when it is called. */
export interface ProductPage extends Connection<ProductRow> {
  count(): Promise<number>;
}

export interface ListArgs extends PageArgs {
  readonly filter: ProductFilter;
  readonly sort: ProductSort;
}

/** @throws `BAD_USER_INPUT` for an invalid page size, cursor, price range or search */
export async function listProducts(em: EntityManager, args: ListArgs): Promise<ProductPage> {
  const { filter } = args;
  const { first } = pageRequest(args.first, null);
  requireExpressible(filter);
  if (filter.minPrice && filter.maxPrice && new Big(filter.minPrice).gt(filter.maxPrice)) {
    throw badInput({ 'filter.maxPrice': 'must not be below minPrice' });
  }
  const tsquery = await productQuery(em, filter.search);
  const categoryIds = filter.categoryId ? await readSubtreeIds(em, filter.categoryId) : null;
  const isNewest = args.sort === ProductSort.RELEVANCE && tsquery === null;
  const sort = isNewest ? ProductSort.NEWEST : args.sort;
  const query = { filter, categoryIds, tsquery };
  const after = readPlace(sort, args.after);
  const rows = await readPage(em, { ...query, sort, after, limit: first + 1 });
  const connection = toConnection(rows, first, placeIn(sort));
  return { ...connection, count: () => countProducts(em, query) };
}

/** @throws `BAD_USER_INPUT` for prices that no offer in the currency of the filter can have */
function requireExpressible(filter: ProductFilter): void {
  const { minPrice, maxPrice } = filter;
  for (const [field, price] of Object.entries({ minPrice, maxPrice })) {
    const problem = price ? findAmountProblem(price, currencyOf(filter)) : null;
    if (problem) throw badInput({ [`filter.${field}`]: problem });
  }
}

async function readSubtreeIds(em: EntityManager, categoryId: string): Promise<string[]> {
  const rows = await sql<{ id: string }>(em, subtreeIdsSql('$1'), [categoryId]);
  return rows.map(({ id }) => id);
}

async function countProducts(em: EntityManager, query: ProductQuery): Promise<number> {
  const { values, bind } = parameters();
  const [row] = await sql<{ count: number }>(em, countOf(query, bind), values);
  return row?.count ?? 0;
}
