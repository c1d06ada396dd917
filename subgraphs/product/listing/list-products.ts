import type { EntityManager } from '@mikro-orm/postgresql';
import Big from 'big.js';
import { sql } from '../../shared/database/sql.js';
import { badInput } from '../../shared/errors.js';
import { type Connection, pageRequest } from '../../shared/graphql/connection.js';
import { subtreeIdsSql } from '../category/category.js';
import type { ProductRow } from '../product/read-products.js';
import { searchQuery } from '../search/search-query.js';
import { cursorOf, placeOf } from './cursor.js';
import { countOf, parameters } from './filter-conditions.js';
import { type ProductFilter, ProductSort } from './product-filter.js';
import type { PlacedRow, ProductQuery } from './product-query.js';
import { readPage } from './read-page.js';

/** A page of products; `count` counts the products of all pages when it is called. */
export interface ProductPage extends Connection<ProductRow> {
  count(): Promise<number>;
}

export interface ListArgs {
  readonly first: number;
  readonly after?: string | null | undefined;
  readonly filter: ProductFilter;
  readonly sort: ProductSort;
}

/** @throws `BAD_USER_INPUT` for an invalid page size, cursor, price range or search */
export async function listProducts(em: EntityManager, args: ListArgs): Promise<ProductPage> {
  const { filter } = args;
  const { first } = pageRequest(args.first, null);
  if (filter.minPrice && filter.maxPrice && new Big(filter.minPrice).gt(filter.maxPrice)) {
    throw badInput({ 'filter.maxPrice': 'must not be below minPrice' });
  }
  const tsquery = filter.search ? await searchQuery(em, filter.search) : null;
  const categoryIds = filter.categoryId ? await readSubtreeIds(em, filter.categoryId) : null;
  const isNewest = args.sort === ProductSort.RELEVANCE && tsquery === null;
  const sort = isNewest ? ProductSort.NEWEST : args.sort;
  const query = { filter, categoryIds, tsquery };
  const after = placeOf(sort, args.after);
  const rows = await readPage(em, { ...query, sort, after, limit: first + 1 });
  return toPage(rows, first, sort, () => countProducts(em, query));
}

/** @param rows up to `first + 1` rows: the extra one means that there is a next page */
export function toPage(
  rows: readonly PlacedRow[],
  first: number,
  sort: ProductSort,
  count: () => Promise<number>,
): ProductPage {
  const edges = rows.slice(0, first).map((node) => ({ cursor: cursorOf(sort, node), node }));
  const endCursor = edges.at(-1)?.cursor ?? null;
  return { edges, pageInfo: { hasNextPage: rows.length > first, endCursor }, count };
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
