/** column → its type in SQL */
export type RowColumns = Readonly<Record<string, string>>;

/**
 * A limit of orders, as parts of the statement that places them (docs/adr/0058-limits-when-placing.md). For each set of its
 * rows the statement has a CTE of that name, and `placed_NAME` with the rows of orders that are placed.
 */
export interface PlacingLimit {
  /** set of rows → its columns, of which `order_id` is one */
  readonly rows: Readonly<Record<string, RowColumns>>;
  /** the CTE of `lock` */
  readonly locked: string;
  /**
   * A CTE that locks the counters that exist, in the order of their keys.
   *
   * @param after a CTE whose rows are locked first
   */
  lock(after: string): string;
  /** A query of what orders would exceed: `order_id`, `kind`, `offer_id`, `sale_id`, `counted`, `max_count`. */
  readonly violations: string;
  /** CTEs that count the orders that are placed, in the counters that were locked or new ones. */
  readonly count: string;
}
