import type { EntityManager } from '@mikro-orm/postgresql';
import { type StockKey, stockKeyOf } from '../../contracts/stock-key.js';
import { sql } from '../../shared/database/sql.js';
import { readLines } from './reservation-lines.js';

/**
 * Those of the keys that other transactions have locked at this moment, by their item or by a
 * warehouse of their shop. Asked on a connection of its own, after a lock was waited for in vain.
 */
function findLockedKeys(em: EntityManager, keys: readonly StockKey[]): Promise<StockKey[]> {
  return sql<StockKey>(
    em,
    `with open as materialized (
       select id from warehouse where shop_id = any($1::uuid[]) for share skip locked
     ), asked as materialized (
       select shop_id, sku from stock_item
       where (shop_id, sku) in (select * from unnest($1::uuid[], $2::varchar[]))
     ), free as materialized (
       select shop_id, sku from stock_item where (shop_id, sku) in (select * from asked)
       for update skip locked
     )
     select shop_id as "shopId", sku from asked
     where (shop_id, sku) not in (select * from free) or exists (
       select from warehouse w
       where w.shop_id = asked.shop_id and w.id not in (select id from open))`,
    [keys.map(({ shopId }) => shopId), keys.map(({ sku }) => sku)],
  );
}

/** As `findLockedKeys`, for requests: those of which a line is held. */
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

/** As `findLockedKeys`, for what reservations hold: the orders of which a line is held. */
export async function findBlockedOrders(
  em: EntityManager,
  orderIds: readonly string[],
): Promise<Set<string>> {
  const lines = await readLines(em, orderIds);
  const lockedKeys = new Set((await findLockedKeys(em, lines)).map(stockKeyOf));
  return new Set(
    lines.filter((line) => lockedKeys.has(stockKeyOf(line))).map(({ orderId }) => orderId),
  );
}
