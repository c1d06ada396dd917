import type { EntityManager } from '@mikro-orm/postgresql';
import type { StockKey } from '../../contracts/stock-key.js';
import { sql } from '../../shared/database/sql.js';

/** The units of one line of a reservation. */
export interface ReservedUnits extends StockKey {
  readonly orderId: string;
  readonly levelId: string;
  readonly quantity: number;
}

/** The lines of reservations. The shop and sku of a level never change, so they need no lock. */
export function readReservationLines(em: EntityManager, orderIds: readonly string[]) {
  return sql<ReservedUnits>(
    em,
    `select order_id as "orderId", level_id as "levelId", quantity, shop_id as "shopId", sku
     from reservation_line join stock_level on id = level_id where order_id = any($1::uuid[])`,
    [orderIds],
  );
}
