import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../shared/database/sql.js';
import type { StockKey } from '../stock/stock-item.js';
import { readLines } from './end-reservations.js';

/**
 * Those of the keys that other transactions have locked at this moment, by their item or by a
 * warehouse of their shop. Asked on a connection of its own, after a lock was waited for in vain.
 */
function heldElsewhere(em: EntityManager, keys: readonly StockKey[]): Promise<StockKey[]> {
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

/** As `heldElsewhere`, for requests: those of which a line is held. */
export async function requestsHeldElsewhere<T extends { readonly lines: readonly StockKey[] }>(
  em: EntityManager,
  requests: readonly T[],
): Promise<T[]> {
  const held = await heldElsewhere(
    em,
    requests.flatMap(({ lines }) => lines),
  );
  const names = new Set(held.map(nameOf));
  return requests.filter(({ lines }) => lines.some((line) => names.has(nameOf(line))));
}

/** As `heldElsewhere`, for what reservations hold: the orders of which a line is held. */
export async function ordersHeldElsewhere(
  em: EntityManager,
  orderIds: readonly string[],
): Promise<Set<string>> {
  const lines = await readLines(em, orderIds);
  const names = new Set((await heldElsewhere(em, lines)).map(nameOf));
  return new Set(lines.filter((line) => names.has(nameOf(line))).map(({ orderId }) => orderId));
}

const nameOf = ({ shopId, sku }: StockKey) => `${shopId} ${sku}`;
