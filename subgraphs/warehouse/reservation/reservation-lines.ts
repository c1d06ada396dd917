import type { EntityManager } from '@mikro-orm/postgresql';
import type { StockKey } from '../../contracts/stock-key.js';
import { sql } from '../../shared/database/sql.js';

/**
 * What reservations hold, with the stock it is of: a level never moves to another shop or sku, so no
 * lock is needed.
 */
export function readLines(em: EntityManager, orderIds: readonly string[]) {
  return sql<StockKey & { orderId: string; levelId: string; quantity: number }>(
    em,
    `select order_id as "orderId", level_id as "levelId", quantity, shop_id as "shopId", sku
     from reservation_line join stock_level on id = level_id where order_id = any($1::uuid[])`,
    [orderIds],
  );
}
