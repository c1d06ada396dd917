import type { StockKey } from '../subgraphs/contracts/stock-key.js';
import { newId } from '../subgraphs/shared/ids.js';
import type { BenchEnvironment } from './environment.js';

const unitsPerSku = 50_000_000;

/** Creates a shop with new skus in one warehouse, with the movements of their receipt. */
export async function stockUp({ client }: BenchEnvironment, skus: number): Promise<StockKey[]> {
  const shopId = newId();
  const warehouseId = newId();
  await client.query(`insert into warehouse (id, shop_id, name) values ($1, $2, 'bench')`, [
    warehouseId,
    shopId,
  ]);
  const keys = Array.from({ length: skus }, () => ({ shopId, sku: `B-${newId()}` }));
  for (const { sku } of keys) {
    const levelId = newId();
    await client.query('insert into stock_item (shop_id, sku, available) values ($1, $2, $3)', [
      shopId,
      sku,
      unitsPerSku,
    ]);
    await client.query(
      'insert into stock_level (id, warehouse_id, shop_id, sku, on_hand) values ($1, $2, $3, $4, $5)',
      [levelId, warehouseId, shopId, sku, unitsPerSku],
    );
    await client.query(
      `insert into stock_movement (id, level_id, type, on_hand_delta, reserved_delta, actor)
       values ($1, $2, 'RECEIPT', $3, 0, 'bench')`,
      [newId(), levelId, unitsPerSku],
    );
  }
  return keys;
}
