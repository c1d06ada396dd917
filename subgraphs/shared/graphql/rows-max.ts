import { badInput } from '../errors.js';

/**
 * Rows that one list field of a request may have in all its lists together: what a subgraph holds in memory
 * for it is bounded by this, whatever the pages are.
 */
export const rowsMax = 20_000;

/**
 * Passes rows on that were read with a limit of `rowsMax + 1`.
 *
 * @throws `BAD_USER_INPUT` if there are more than `rowsMax`
 */
export function requireRowsWithin<T>(rows: T[]): T[] {
  if (rows.length <= rowsMax) return rows;
  const message = `the lists have more than ${rowsMax} entries together: ask for fewer, or for smaller pages`;
  throw badInput({ first: message });
}
