import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../shared/database/sql.js';
import { newId } from '../../shared/ids.js';
import type { InShop } from '../locks.js';
import { ConcurrentChange } from './stock-errors.js';

/** Inserts items with 0 units. @throws ConcurrentChange if another transaction inserted one first */
export async function insertItems(em: EntityManager, shopId: string, skus: readonly string[]) {
  if (skus.length === 0) return [];
  const rows = await sql<object>(
    em,
    `insert into stock_item (shop_id, sku) select $1, unnest($2::varchar[])
     on conflict do nothing returning *`,
    [shopId, skus],
  );
  if (rows.length < skus.length) throw new ConcurrentChange();
  return rows;
}

/** Inserts levels with 0 units. @throws ConcurrentChange if another transaction inserted one first */
export async function insertLevels(
  em: EntityManager,
  { shopId, id: warehouseId }: InShop,
  skus: readonly string[],
) {
  if (skus.length === 0) return [];
  const rows = await sql<object>(
    em,
    `insert into stock_level (id, warehouse_id, shop_id, sku)
     select unnest($1::uuid[]), $2, $3, unnest($4::varchar[])
     on conflict do nothing returning *`,
    [skus.map(() => newId()), warehouseId, shopId, skus],
  );
  if (rows.length < skus.length) throw new ConcurrentChange();
  return rows;
}
