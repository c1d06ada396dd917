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
    `with opened as (insert into stock_count (id, warehouse_id, show_expected, actor)
       values ($1, $2, false, 'test') returning id)
     insert into stock_count_line (count_id, sku, expected)
     select id, unnest($3::text[]), 0 from opened`,
    [countId, warehouseId, skus],
  );
  return countId;
}
