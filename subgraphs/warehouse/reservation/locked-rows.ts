import type { EntityManager } from '@mikro-orm/postgresql';
import { type StockKey, stockKeyOf } from '../../contracts/stock-key.js';
import { sql } from '../../shared/database/sql.js';
import { readReservationLines, readReservationShops } from './reservation-lines.js';

/**
 * The keys whose items other transactions have locked at this moment. Runs after a lock timeout, outside
 * of the transaction that failed.
 */
function findLockedKeys(em: EntityManager, keys: readonly StockKey[]): Promise<StockKey[]> {
  return sql<StockKey>(
    em,
    `with requested as materialized (
       select shop_id, sku from stock_item
       where (shop_id, sku) in (select * from unnest($1::uuid[], $2::varchar[]))
     ), unlocked_item as materialized (
       select shop_id, sku from stock_item where (shop_id, sku) in (select * from requested)
       for update skip locked
     )
     select shop_id as "shopId", sku from requested
     where (shop_id, sku) not in (select * from unlocked_item)`,
    [keys.map(({ shopId }) => shopId), keys.map(({ sku }) => sku)],
  );
}

/** The requests that have a locked key (`findLockedKeys`). */
export async function findBlockedRequests<T extends { readonly lines: readonly StockKey[] }>(
  em: EntityManager,
  requests: readonly T[],
): Promise<T[]> {
  const locked = await findLockedKeys(
    em,
    requests.flatMap(({ lines }) => lines),
  );
  const lockedKeys = new Set(locked.map(stockKeyOf));
  return requests.filter(({ lines }) => lines.some((line) => lockedKeys.has(stockKeyOf(line))));
}

/** The orders whose reservations have a line with a locked key (`findLockedKeys`). */
export async function findBlockedOrders(
  em: EntityManager,
  orderIds: readonly string[],
): Promise<Set<string>> {
  const lines = await readReservationLines(em, await readReservationShops(em, orderIds));
  const lockedKeys = new Set((await findLockedKeys(em, lines)).map(stockKeyOf));
  return new Set(
    lines.filter((line) => lockedKeys.has(stockKeyOf(line))).map(({ orderId }) => orderId),
  );
}
