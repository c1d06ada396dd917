import { newId } from '../../subgraphs/shared/ids.js';
import type { TestStock } from './stock-engine.js';

/** Opens a stock count of some skus in a warehouse. @returns its id */
export async function openStockCount(
  stock: Pick<TestStock, 'query'>,
  warehouseId: string,
  skus: readonly string[],
): Promise<string> {
  const countId = newId();
  await stock.query(
    `with opened as (insert into stock_count (shop_id, id, warehouse_id, show_expected, actor)
       select shop_id, $1, id, false, 'test' from warehouse where id = $2 returning shop_id, id)
     insert into stock_count_line (shop_id, count_id, sku, expected)
     select shop_id, id, unnest($3::text[]), 0 from opened`,
    [countId, warehouseId, skus],
  );
  return countId;
}
