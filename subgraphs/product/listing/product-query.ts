import type { ProductRow } from '../product/read-products.js';
import type { Place } from './cursor.js';
import type { ProductFilter, ProductSort } from './product-filter.js';

/** Which products are asked for. */
export interface ProductQuery {
  readonly filter: ProductFilter;
  /**
   * the filter's category and all below it; null: all there are. They are read before: PostgreSQL
   * plans with what it knows of these very ones, where of a subquery it knows nothing.
   */
  readonly categoryIds: readonly string[] | null;
  /** what is searched for as a `tsquery`; null: nothing */
  readonly tsquery: string | null;
}

export interface ProductPageQuery extends ProductQuery {
  readonly sort: ProductSort;
  /** what it begins behind */
  readonly after: Place | null;
  /** how many rows at most */
  readonly limit: number;
}

/** A product with its value under the sort. */
export type PlacedRow = ProductRow & Place;
