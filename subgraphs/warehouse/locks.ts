import type { EntityClass } from '@mikro-orm/core';
import { type EntityManager, LockMode } from '@mikro-orm/postgresql';
import type { EndReason, ReservationState } from '../contracts/reservation.js';
import { type StockKey, stockKeyOf } from '../contracts/stock-key.js';
import { columnsOf } from '../shared/database/columns.js';
import { sql, sqlPrepared } from '../shared/database/sql.js';
import { Warehouse } from './warehouse/warehouse.js';

/*
 * Lock order of the warehouse database. A transaction skips what it does not need, and never goes
 * back:
 *
 * 0. the row of the request’s idempotency key: `Once.begin`;
 * 1. one transfer or stock count, `for update`: `lockById`; or reservations by order id,
 *    `for update`: `lockReservations`, `lockHeldReservations`, `lockReservation`. No transaction
 *    locks two of these kinds;
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
  readonly endReason: EndReason | null;
  /** `pg_current_xact_id()` */
  readonly transactionId: string;
}

/** Locks the reservations of orders; orders without one are left out. */
export function lockReservations(em: EntityManager, orderIds: readonly string[]) {
  return sql<LockedReservation>(
    em,
    `select order_id as "orderId", state, payment_id as "paymentId", end_reason as "endReason",
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

/**
 * Locks the row of one transfer or stock count, whose entity is a parameter as its folder imports
 * this file.
 */
export function lockById<T extends { id: string }>(
  em: EntityManager,
  entity: EntityClass<T>,
  id: string,
): Promise<T | null> {
  const withId = entity as unknown as EntityClass<{ id: string }>;
  const found = em.findOne(withId, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  return found as Promise<T | null>;
}

/** The entities of items and levels: parameters, as their folder imports this file. */
interface StockEntities<Item, Level> {
  readonly item: EntityClass<Item>;
  readonly level: EntityClass<Level>;
}

/**
 * Locks what a change of some stock needs: the shops’ warehouses, the items, and all their levels.
 *
 * @returns also the time by PostgreSQL’s clock, behind the locks
 */
export async function lockStock<
  Item extends StockKey,
  Level extends StockKey & { warehouseId: string },
>(em: EntityManager, keys: readonly StockKey[], entities: StockEntities<Item, Level>) {
  const distinct = [...new Map(keys.map((key) => [stockKeyOf(key), key])).values()];
  const shopIds = [...new Set(distinct.map(({ shopId }) => shopId))];
  const columns = [distinct.map(({ shopId }) => shopId), distinct.map(({ sku }) => sku)];
  const ofKeys = `unnest($1::uuid[], $2::varchar[]) as k (shop_id, sku) using (shop_id, sku)`;
  const warehouses = await em.find(
    Warehouse,
    { shopId: { $in: shopIds } },
    { orderBy: { id: 'asc' }, lockMode: LockMode.PESSIMISTIC_READ },
  );
  const items = await sqlPrepared<object>(
    em,
    `select ${columnsOf(em, entities.item, 'i.')} from stock_item i join ${ofKeys} order by i.shop_id, i.sku for update of i`,
    columns,
  );
  // The items’ locks keep others from the levels, so the time is read behind all locks.
  const rows = await sqlPrepared<object & { lockedAt: string }>(
    em,
    `select ${columnsOf(em, entities.level, 'l.')}, clock_timestamp() as "lockedAt"
     from stock_level l join ${ofKeys} order by l.sku, l.warehouse_id for update of l`,
    columns,
  );
  return {
    warehouses,
    items: items.map((row) => em.map(entities.item, row)),
    levels: rows.map(({ lockedAt: _, ...row }) => em.map(entities.level, row)),
    lockedAt: new Date(rows[0]?.lockedAt ?? (await readClock(em))),
  };
}

async function readClock(em: EntityManager): Promise<string> {
  const [row] = await sql<{ now: string }>(em, 'select clock_timestamp() as now');
  return row?.now as string;
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
