import { loadPages, type PageInShard } from '../../shared/graphql/load-pages.js';
import { timeOfId } from '../../shared/ids.js';
import { recentIdAt } from './stock-at.js';
import { StockMovement } from './stock-movement.js';

const movementsOfLevel =
  'select * from stock_movement where shop_id = parent.shard_id and level_id = parent.id';

/** Of the month of the cursor, or this one, and of the month before. */
const loadRecent = loadPages<PageInShard, StockMovement>({
  order: 'desc',
  sqlOf: ([page]) => ({
    select: `${movementsOfLevel} and id >= $5`,
    values: [recentIdAt(page?.afterId ? new Date(timeOfId(page.afterId)) : new Date())],
  }),
  toRow: (row, em) => em.map(StockMovement, row),
});

const loadAll = loadPages<PageInShard, StockMovement>({
  order: 'desc',
  sqlOf: () => ({ select: movementsOfLevel }),
  toRow: (row, em) => em.map(StockMovement, row),
});

/**
 * Pages of the movements of levels, newest first. PostgreSQL plans for all partitions of a list without a bound,
 * so two months are read first, and the whole ledger only for pages that these do not fill.
 */
export const loadMovements: typeof loadAll = async (pages, reader) => {
  const recent = await loadRecent(pages, reader);
  const unfilled = pages.filter((_, n) => !recent[n]?.pageInfo.hasNextPage);
  if (unfilled.length === 0) return recent;
  const all = new Map((await loadAll(unfilled, reader)).map((list, n) => [unfilled[n], list]));
  return pages.map((page, n) => all.get(page) ?? (recent[n] as (typeof recent)[number]));
};
