import type { EntityClass } from '@mikro-orm/core';
import { type EntityManager, LockMode } from '@mikro-orm/postgresql';
import type { ReservationState } from '../contracts/reservation.js';
import { type StockKey, stockKeyOf } from '../contracts/stock-key.js';
import { sql } from '../shared/database/sql.js';
import { Warehouse } from './warehouse/warehouse.js';

/*
 * Lock order of the warehouse database. A transaction skips what it does not need, and never goes
 * back:
 *
 * 1. one transfer, `for update`: `lockTransfer`; or reservations by order id, `for update`:
 *    `lockReservations`, `lockHeldReservations`, `lockReservation`. No transaction locks both
 *    kinds;
 * 2. warehouses by id, `for share`: `lockStock`. Activation changes its one warehouse here, an
 *    import shares its one;
 * 3. items by shop and sku, `for update`: `lockStock`, `lockItemsOfWarehouse`, and an import by its
 *    table of changes (stock-csv/apply-rows.ts);
 * 4. levels by sku and warehouse, `for update`: `lockStock`. Every change of a level holds the lock
 *    of its item, so 3 alone keeps levels from changing;
 * 5. new reservations and tombstones by order id, as they are inserted at the end.
 */

interface LockedReservation {
  readonly orderId: string;
  readonly state: ReservationState;
  readonly paymentId: string | null;
  /** `pg_current_xact_id()` */
  readonly transactionId: string;
}

/** Locks the reservations of orders; orders without one are left out. */
export function lockReservations(em: EntityManager, orderIds: readonly string[]) {
  return sql<LockedReservation>(
    em,
    `select order_id as "orderId", state, payment_id as "paymentId",
       pg_current_xact_id()::text as "transactionId"
     from reservation where order_id = any($1::uuid[]) order by order_id for update`,
    [orderIds],
  );
}

interface LockedHeldReservation {
  readonly orderId: string;
  readonly expiresAt: string;
  /** milliseconds since `expiresAt`, by PostgreSQL’s clock; negative before */
  readonly lateMs: number;
  /** `pg_current_xact_id()` */
  readonly transactionId: string;
}

/**
 * Locks the reservations of orders that are `HELD`; skips those that another transaction has
 * locked.
 */
export function lockHeldReservations(em: EntityManager, orderIds: readonly string[]) {
  return sql<LockedHeldReservation>(
    em,
    `select order_id as "orderId", expires_at as "expiresAt",
       (extract(epoch from clock_timestamp() - expires_at) * 1000)::float as "lateMs",
       pg_current_xact_id()::text as "transactionId"
     from reservation where order_id = any($1::uuid[]) and state = 'HELD'
     order by order_id for update skip locked`,
    [orderIds],
  );
}

/** Locks the reservation of one order. @returns its state; null when there is none */
export async function lockReservation(
  em: EntityManager,
  orderId: string,
): Promise<ReservationState | null> {
  const [reservation] = await sql<{ state: ReservationState }>(
    em,
    'select state from reservation where order_id = $1 for update',
    [orderId],
  );
  return reservation?.state ?? null;
}

/** Locks the row of one transfer, whose entity is a parameter as its folder imports this file. */
export function lockTransfer<Transfer extends { id: string }>(
  em: EntityManager,
  transfer: EntityClass<Transfer>,
  id: string,
): Promise<Transfer | null> {
  const entity = transfer as unknown as EntityClass<{ id: string }>;
  const found = em.findOne(entity, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  return found as Promise<Transfer | null>;
}

/** The entities of items and levels: parameters, as their folder imports this file. */
interface StockEntities<Item, Level> {
  readonly item: EntityClass<Item>;
  readonly level: EntityClass<Level>;
}

/**
 * Locks what a change of some stock needs: the shops’ warehouses, the items, and all their levels.
 */
export async function lockStock<
  Item extends StockKey,
  Level extends StockKey & { warehouseId: string },
>(em: EntityManager, keys: readonly StockKey[], entities: StockEntities<Item, Level>) {
  const distinct = [...new Map(keys.map((key) => [stockKeyOf(key), key])).values()];
  const shopIds = [...new Set(distinct.map(({ shopId }) => shopId))];
  const ofKeys = { $or: distinct.map(({ shopId, sku }) => ({ shopId, sku })) };
  const warehouses = await em.find(
    Warehouse,
    { shopId: { $in: shopIds } },
    { orderBy: { id: 'asc' }, lockMode: LockMode.PESSIMISTIC_READ },
  );
  const items = await em.find(entities.item as unknown as EntityClass<StockKey>, ofKeys, {
    orderBy: { shopId: 'asc', sku: 'asc' },
    lockMode: LockMode.PESSIMISTIC_WRITE,
  });
  const levels = await em.find(
    entities.level as unknown as EntityClass<StockKey & { warehouseId: string }>,
    ofKeys,
    { orderBy: { sku: 'asc', warehouseId: 'asc' }, lockMode: LockMode.PESSIMISTIC_WRITE },
  );
  return { warehouses, items: items as Item[], levels: levels as Level[] };
}

/** Locks the items of all levels of a warehouse. */
export async function lockItemsOfWarehouse(em: EntityManager, warehouseId: string): Promise<void> {
  await sql(
    em,
    `select 1 from stock_item where (shop_id, sku) in
       (select shop_id, sku from stock_level where warehouse_id = $1)
     order by shop_id, sku for update`,
    [warehouseId],
  );
}
