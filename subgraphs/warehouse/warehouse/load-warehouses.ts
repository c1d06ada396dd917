import type { EntityManager } from '@mikro-orm/postgresql';
import { z } from 'zod';
import { sql } from '../../shared/database/sql.js';
import {
  type Connection,
  type PageArgs,
  pageSize,
  toConnection,
} from '../../shared/graphql/connection.js';
import type { BatchLoad } from '../../shared/graphql/context.js';
import { readCursor } from '../../shared/graphql/cursor.js';
import { requireRowsWithin, rowsMax } from '../../shared/graphql/rows-max.js';
import { Warehouse } from './warehouse.js';

const place = z.tuple([z.int(), z.guid()]);

/** A page of the warehouses of a shop. */
export interface WarehousePage {
  readonly shopId: string;
  readonly first: number;
  /** priority and id of the warehouse after which the page begins */
  readonly after: z.infer<typeof place> | null;
}

/** @throws `BAD_USER_INPUT` for a size outside 1 to 100, or an invalid cursor */
export const warehousePage = (shopId: string, { first, after }: PageArgs): WarehousePage => ({
  shopId,
  first: pageSize(first),
  after: readCursor(after, place),
});

/** Loads pages of the warehouses of shops, in order of priority, in one statement. */
export const loadWarehousesOfShops: BatchLoad<
  WarehousePage,
  Connection<Warehouse>,
  { readonly em: EntityManager }
> = async (pages, { em }) => {
  const rows = await sql<{ page: number }>(
    em,
    `select page.at::int as page, list.*
     from unnest($1::uuid[], $2::int[], $3::int[], $4::uuid[])
       with ordinality as page (shop_id, rows_max, after_priority, after_id, at)
     cross join lateral (
       select * from warehouse where shop_id = page.shop_id and (page.after_id is null
         or (priority, id) > (page.after_priority, page.after_id))
       order by priority, id limit page.rows_max) as list
     order by page.at, list.priority, list.id limit ${rowsMax + 1}`,
    [
      pages.map(({ shopId }) => shopId),
      pages.map(({ first }) => first + 1),
      pages.map(({ after }) => after?.[0] ?? null),
      pages.map(({ after }) => after?.[1] ?? null),
    ],
  );
  const byPage = Map.groupBy(requireRowsWithin(rows), ({ page }) => page);
  return pages.map(({ first }, at) => {
    const list = (byPage.get(at + 1) ?? []).map(({ page: _, ...row }) => em.map(Warehouse, row));
    return toConnection(list, first, ({ priority, id }) => [priority, id]);
  });
};
