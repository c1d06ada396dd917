import type { EntityManager } from '@mikro-orm/postgresql';
import type { SaleKey } from '../../contracts/sale.js';
import { listOf, sql, sqlPrepared } from '../../shared/database/sql.js';

/** The units of one line of a reservation. */
export interface ReservedUnits extends SaleKey {
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
export const readReservationLines = (
  em: EntityManager,
  reservations: readonly ReservationShops[],
) =>
  sqlPrepared<ReservedUnits>(
    em,
    // A reservation has no lines of other shops.
    `select l.order_id as "orderId", l.level_id as "levelId", l.sale_id as "saleId", l.quantity,
       l.shop_id as "shopId", s.sku
     from reservation_line l join stock_level s on s.shop_id = l.shop_id and s.id = l.level_id
     where l.order_id = any(${listOf(1, 'uuid')}) and l.shop_id = any(${listOf(2, 'uuid')})`,
    [
      reservations.map(({ orderId }) => orderId),
      [...new Set(reservations.flatMap(({ shopIds }) => shopIds))],
    ],
  );

/** The shops of the reservations of orders; those without one are left out. */
export const readReservationShops = (em: EntityManager, orderIds: readonly string[]) =>
  sql<ReservationShops>(
    em,
    `select order_id as "orderId", shop_ids as "shopIds" from reservation
     where order_id = any($1::uuid[])`,
    [orderIds],
  );
