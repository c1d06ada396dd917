import type { EntityClass } from '@mikro-orm/core';
import { type EntityManager, LockMode } from '@mikro-orm/postgresql';
import type { EndReason, ReservationState } from '../contracts/reservation.js';
import { type StockKey, stockKeyOf } from '../contracts/stock-key.js';
import { firstOfEach } from '../shared/batching/first-of-each.js';
import { columnsOf } from '../shared/database/columns.js';
import { sql, sqlPrepared, unnestOf } from '../shared/database/sql.js';

/*
 * Lock order of the warehouse database. A transaction skips what it does not need, and never goes
 * back:
 *
 * 0. the idempotency key of the request, as its row is inserted: `claimInTransaction`;
 * 1. one transfer or stock count, `for update`: `lockById`; or the allocation of one sale in a shop
 *    (sale/allocate-sale.ts); or reservations by order id,
 *    `for update`: `lockReservations`, `lockHeldReservations`, `lockReservation`. No transaction
 *    locks two of these kinds;
 * 2. items by shop and sku, `for update`: `lockItems`, `lockItemsOfWarehouse`, and an import by its
 *    table of changes (stock-csv/apply-rows.ts). Every change of a level, or of units of a sale, holds the lock of its
 *    item, and
 *    so does a change of whether its warehouse is active: levels and warehouses are read without locks;
 * 3. one warehouse: `for share` by whoever inserts a level in it (`shareWarehouse`); activation changes
 *    it here, then locks items of levels that were inserted meanwhile, without waiting;
 * 4. new reservations and tombstones by order id, as they are inserted at the end.
 */

interface LockedReservation {
  readonly orderId: string;
  readonly shopIds: readonly string[];
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
    `select order_id as "orderId", shop_ids as "shopIds", state, payment_id as "paymentId", end_reason as "endReason",
       pg_current_xact_id()::text as "transactionId"
     from reservation where order_id = any($1::uuid[]) order by order_id for update`,
    [orderIds],
  );
}

interface LockedHeldReservation {
  readonly orderId: string;
  readonly shopIds: readonly string[];
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
    `select order_id as "orderId", shop_ids as "shopIds", expires_at as "expiresAt",
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
export function lockById<T extends InShop>(
  em: EntityManager,
  entity: EntityClass<T>,
  { shopId, id }: InShop,
): Promise<T | null> {
  const withId = entity as unknown as EntityClass<InShop>;
  const found = em.findOne(withId, { shopId, id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  return found as Promise<T | null>;
}

/** The key of a row in the shard of its shop. */
export interface InShop {
  readonly shopId: string;
  readonly id: string;
}

/**
 * Locks items and reads them. Every change of a level holds the lock of its item, and so does every change
 * of whether the warehouse of a level is active.
 *
 * @param item the entity of items: a parameter, as its folder imports this file
 */
export async function lockItems<Item extends StockKey>(
  em: EntityManager,
  keys: readonly StockKey[],
  item: EntityClass<Item>,
): Promise<Item[]> {
  const distinct = firstOfEach(keys, stockKeyOf);
  const items = await sqlPrepared<object>(
    em,
    `select ${columnsOf(em, item, 'i.')} from stock_item i
       join ${unnestOf('uuid', 'varchar')} as k (shop_id, sku) using (shop_id, sku)
     order by i.shop_id, i.sku for update of i`,
    [distinct.map(({ shopId }) => shopId), distinct.map(({ sku }) => sku)],
  );
  return items.map((row) => em.map(item, row) as Item);
}

/**
 * Keeps a warehouse as it is, for new levels in it: their items were not locked when it was to be activated
 * or deactivated.
 */
export async function shareWarehouse(em: EntityManager, { shopId, id }: InShop) {
  const [warehouse] = await sql<{ active: boolean; priority: number }>(
    em,
    'select active, priority from warehouse where shop_id = $1 and id = $2 for share',
    [shopId, id],
  );
  if (!warehouse) throw new Error(`unknown warehouse ${id}`);
  return warehouse;
}

/**
 * Locks the items of all levels of a warehouse.
 *
 * @param mode `no wait`: fails with a lock timeout if another transaction has one
 * @returns how many there are
 */
export async function lockItemsOfWarehouse(
  em: EntityManager,
  { shopId, id }: InShop,
  mode: 'wait' | 'no wait',
): Promise<number> {
  const [locked] = await sql<{ count: number }>(
    em,
    `select count(*)::int as count from (
       select from stock_item where shop_id = $1 and sku in
         (select sku from stock_level where shop_id = $1 and warehouse_id = $2)
       order by shop_id, sku for update ${mode === 'wait' ? '' : 'nowait'}) locked`,
    [shopId, id],
  );
  return locked?.count ?? 0;
}
