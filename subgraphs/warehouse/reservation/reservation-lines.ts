import type { EntityManager } from '@mikro-orm/postgresql';
import type { StockKey } from '../../contracts/stock-key.js';
import { sql } from '../../shared/database/sql.js';

/** The lines of reservations. The shop and sku of a level never change, so they need no lock. */
export function readReservationLines(em: EntityManager, orderIds: readonly string[]) {
  return sql<StockKey & { orderId: string; levelId: string; quantity: number }>(
    em,
    `select order_id as "orderId", level_id as "levelId", quantity, shop_id as "shopId", sku
     from reservation_line join stock_level on id = level_id where order_id = any($1::uuid[])`,
    [orderIds],
  );
}
