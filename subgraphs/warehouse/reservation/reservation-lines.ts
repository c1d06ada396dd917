import type { EntityManager } from '@mikro-orm/postgresql';
import type { StockKey } from '../../contracts/stock-key.js';
import { sql, sqlPrepared, unnestOf } from '../../shared/database/sql.js';

/** The units of one line of a reservation. */
export interface ReservedUnits extends StockKey {
  readonly orderId: string;
  readonly levelId: string;
  readonly quantity: number;
}

/** A reservation, and the shops of its lines. */
export interface ReservationShops {
  readonly orderId: string;
  readonly shopIds: readonly string[];
}

/** The lines of reservations. The shop and sku of a level never change, so they need no lock. */
export function readReservationLines(em: EntityManager, reservations: readonly ReservationShops[]) {
  const keys = reservations.flatMap(({ orderId, shopIds }) =>
    shopIds.map((shopId) => ({ orderId, shopId })),
  );
  return sqlPrepared<ReservedUnits>(
    em,
    `select r.order_id as "orderId", l.level_id as "levelId", l.quantity, r.shop_id as "shopId", s.sku
     from ${unnestOf('uuid', 'uuid')} as r (order_id, shop_id)
       join reservation_line l on l.order_id = r.order_id and l.shop_id = r.shop_id
       cross join lateral (
         select sku from stock_level where shop_id = r.shop_id and id = l.level_id offset 0
       ) s`,
    [keys.map(({ orderId }) => orderId), keys.map(({ shopId }) => shopId)],
  );
}

/** The shops of the reservations of orders; those without one are left out. */
export const readReservationShops = (em: EntityManager, orderIds: readonly string[]) =>
  sql<ReservationShops>(
    em,
    `select order_id as "orderId", shop_ids as "shopIds" from reservation
     where order_id = any($1::uuid[])`,
    [orderIds],
  );
