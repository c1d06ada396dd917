import type { EntityManager } from '@mikro-orm/postgresql';
import { z } from 'zod';
import { sql } from '../../shared/database/sql.js';
import {
  type PageArgs,
  pageRequest,
  pageSize,
  toConnection,
} from '../../shared/graphql/connection.js';
import { readCursor } from '../../shared/graphql/cursor.js';
import { StockLevel } from './stock-level.js';

/**
 * A page of the low levels of some shops, the oldest level first. Each shop is read by the index
 * `stock_level_low`: for several shops at once PostgreSQL would scan all levels by id until the
 * page is full, which takes very long where few are low.
 *
 * @throws `BAD_USER_INPUT`
 */
export async function listLowStock(em: EntityManager, shopIds: readonly string[], page: PageArgs) {
  const { first, afterId } = pageRequest(page.first, page.after);
  const rows = await sql<object>(
    em,
    `select low.* from unnest($1::uuid[]) as shop (id) cross join lateral (
       select * from stock_level
       where is_low_stock and shop_id = shop.id and ($2::uuid is null or id > $2)
       order by id limit $3) as low
     order by low.id limit $3`,
    [shopIds, afterId, first + 1],
  );
  return toConnection(
    rows.map((row) => em.map(StockLevel, row)),
    first,
  );
}

/**
 * A page of the low levels of all shops, shop by shop, the oldest level first in each: that is the
 * order of the index `stock_level_low`.
 *
 * @throws `BAD_USER_INPUT`
 */
export async function listAllLowStock(em: EntityManager, page: PageArgs) {
  const first = pageSize(page.first);
  const [shopId, id] = readCursor(page.after, shopAndId) ?? beginning;
  const rows = await sql<object>(em, allLowSql, [shopId, id, first + 1]);
  return toConnection(
    rows.map((row) => em.map(StockLevel, row)),
    first,
    (level) => [level.shopId, level.id],
  );
}

const shopAndId = z.tuple([z.guid(), z.guid()]);
const beginning = Array(2).fill('00000000-0000-0000-0000-000000000000');

/** Parameters: the shop and the id of the level after which the page begins; its size. */
export const allLowSql = `select * from stock_level
  where is_low_stock and (shop_id, id) > ($1::uuid, $2::uuid)
  order by shop_id, id limit $3`;
