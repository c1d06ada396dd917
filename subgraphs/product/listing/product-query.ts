import type { ProductRow } from '../product/read-products.js';
import type { Place } from './cursor.js';
import type { ProductFilter, ProductSort } from './product-filter.js';

/** The products to list. */
export interface ProductQuery {
  readonly filter: ProductFilter;
  /**
   * the filter's category and all below it; null: no restriction. They are read by an earlier statement:
   * PostgreSQL has statistics for given ids, but none for the result of a subquery.
   */
  readonly categoryIds: readonly string[] | null;
  /** the search as a `tsquery`; null: none */
  readonly tsquery: string | null;
}

export interface ProductPageQuery extends ProductQuery {
  readonly sort: ProductSort;
  /** the position that the page follows; null: from the start */
  readonly after: Place | null;
  /** maximum number of rows */
  readonly limit: number;
}

/** A product with its value under the sort. */
export type PlacedRow = ProductRow & Place;
