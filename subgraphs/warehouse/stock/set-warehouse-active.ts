import { sql } from '../../shared/database.js';
import type { StockStore } from './engine.js';
import { moveStock } from './move-stock.js';
import type { StockChanged } from './stock-signals.js';

/**
 * Opens or closes a warehouse for sale. What stands in it, and is not held, counts as available from
 * that commit on, or no more. What is held there stays held and can be paid.
 *
 * @returns how many units came to the shelf, or left it (negative); 0 when nothing changed
 */
export async function setWarehouseActive(
  store: StockStore,
  warehouseId: string,
  active: boolean,
): Promise<number> {
  const { units } = await moveStock(
    store,
    async (em) => {
      const [changed] = await sql(
        em,
        `update warehouse set active = $2, updated_at = now() where id = $1 and active <> $2
         returning id`,
        [warehouseId, active],
      );
      if (!changed) return { units: 0, changed: [] };
      // Every change of a level holds the lock of its item; so the levels stand still from here on.
      await sql(
        em,
        `select 1 from stock_item where (shop_id, sku) in
           (select shop_id, sku from stock_level where warehouse_id = $1)
         order by shop_id, sku for update`,
        [warehouseId],
      );
      const rows = await sql<StockChanged & { delta: number }>(
        em,
        `update stock_item i set version = version + 1, updated_at = now(),
           available = available + l.delta
         from (select shop_id, sku, (on_hand - reserved) * $2::int as delta
               from stock_level where warehouse_id = $1 and on_hand > reserved) l
         where i.shop_id = l.shop_id and i.sku = l.sku
         returning i.shop_id as "shopId", i.sku, available, version, i.updated_at as at, l.delta`,
        [warehouseId, active ? 1 : -1],
      );
      return {
        units: rows.reduce((sum, { delta }) => sum + delta, 0),
        changed: rows.map(({ delta: _, ...row }) => ({
          ...row,
          at: new Date(row.at).toISOString(),
        })),
      };
    },
    ({ changed }) => ({ changed }),
  );
  return units;
}
