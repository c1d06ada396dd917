import { z } from 'zod';
import { sql } from '../../shared/database/sql.js';
import {
  type Connection,
  type PageArgs,
  pageRequest,
  toConnection,
} from '../../shared/graphql/connection.js';
import type { BatchLoad, SubgraphContext } from '../../shared/graphql/context.js';
import { readCursor } from '../../shared/graphql/cursor.js';
import type { StockLevel } from '../stock/stock-level.js';
import type { UnshippedOrder } from './stock-shortfall.js';

/** Whether the order is unpaid, and its id. */
const place = z.tuple([z.boolean(), z.guid()]);

export interface UnshippedOrdersPage {
  readonly level: StockLevel;
  readonly first: number;
  readonly after: string | null;
}

/** @throws `BAD_USER_INPUT` for a size outside 1 to 100, or an invalid cursor */
export function unshippedOrdersPage(
  level: StockLevel,
  { first, after = null }: PageArgs,
): UnshippedOrdersPage {
  pageRequest(first, null);
  readCursor(after, place);
  return { level, first, after };
}

/**
 * Pages of the orders that have units of a level: paid ones first, each the oldest first, since order
 * ids sort by time. One statement for all levels of a request.
 */
export const loadUnshippedOrders: BatchLoad<
  UnshippedOrdersPage,
  Connection<UnshippedOrder>,
  SubgraphContext
> = async (pages, { em }) => {
  const found = new Map<UnshippedOrdersPage, Connection<UnshippedOrder>>();
  const groups = Map.groupBy(pages, ({ first, after }) => JSON.stringify([first, after]));
  for (const alike of groups.values()) {
    const { first, after } = alike[0] as UnshippedOrdersPage;
    const [isUnpaid, orderId] = readCursor(after, place) ?? [null, null];
    const rows = await sql<{ levelId: string; orderId: string; units: number; paid: boolean }>(
      em,
      `select level.id as "levelId", list.* from unnest($1::uuid[], $5::uuid[])
         as level (id, shop_id)
       cross join lateral (
         select l.order_id as "orderId", sum(l.quantity - l.shipped - l.cancelled)::int as units,
           r.state = 'COMMITTED' as paid
         from reservation_line l join reservation r on r.order_id = l.order_id
         where l.shop_id = level.shop_id and l.level_id = level.id and r.state in ('COMMITTED', 'HELD')
           and l.quantity > l.shipped + l.cancelled
           and ($2::boolean is null or (r.state <> 'COMMITTED', l.order_id) > ($2, $3::uuid))
         group by l.order_id, r.state
         order by r.state <> 'COMMITTED', l.order_id limit $4) as list`,
      [
        alike.map(({ level }) => level.id),
        isUnpaid,
        orderId,
        first + 1,
        alike.map(({ level }) => level.shopId),
      ],
    );
    const byLevel = Map.groupBy(rows, ({ levelId }) => levelId);
    for (const page of alike) {
      const { id, shopId } = page.level;
      const orders = (byLevel.get(id) ?? []).map((row) => {
        const shopOrder = { order: { id: row.orderId }, shop: { id: shopId } };
        return { id: row.orderId, shopOrder, units: row.units, paid: row.paid };
      });
      found.set(
        page,
        toConnection(orders, first, ({ paid, id: orderId }) => [!paid, orderId]),
      );
    }
  }
  return pages.map((page) => found.get(page) as Connection<UnshippedOrder>);
};
