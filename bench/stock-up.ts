import type { StockKey } from '../subgraphs/contracts/stock-key.js';
import { newId } from '../subgraphs/shared/ids.js';
import type { BenchEnvironment } from './environment.js';

const unitsPerSku = 50_000_000;
const unitsPerLevel = 1000;

/** Creates a shop with one sku in many warehouses, with the movements of their receipt. */
export async function stockUpWarehouses(
  { client }: BenchEnvironment,
  warehouses: number,
): Promise<StockKey> {
  const key = { shopId: newId(), sku: `B-${newId()}` };
  await client.query(
    `with item as (
       insert into stock_item (shop_id, sku, available) values ($1, $2, $3::int * $4::int)
     ), opened as (
       insert into warehouse (id, shop_id, name, priority)
       select gen_random_uuid(), $1, 'bench', n from generate_series(1, $3) as n returning id
     ), event as (
       insert into warehouse_event (shop_id, warehouse_id, id, type, actor)
       select $1, id, id, 'ACTIVATED', 'bench' from opened
     ), level as (
       insert into stock_level (id, warehouse_id, shop_id, sku, on_hand, last_seq)
       select gen_random_uuid(), id, $1, $2, $4, 1 from opened returning id
     )
     insert into stock_movement (shop_id, level_id, id, seq, type, on_hand_delta, reserved_delta,
       on_hand, reserved, committed, unavailable, actor, created_at)
     select $1, level.id, m.id, 1, 'RECEIPT', $4, 0, $4, 0, 0, 0, 'bench',
       uuid_extract_timestamp(m.id)
     from level cross join lateral (select uuidv7() as id where level.id is not null) m`,
    [key.shopId, key.sku, warehouses, unitsPerLevel],
  );
  await client.query('analyze');
  return key;
}

/** Creates a shop with new skus in one warehouse, with the movements of their receipt. */
export async function stockUp({ client }: BenchEnvironment, skus: number): Promise<StockKey[]> {
  const shopId = newId();
  const warehouseId = newId();
  await client.query(
    `with opened as (
       insert into warehouse (id, shop_id, name) values ($1, $2, 'bench') returning id
     )
     insert into warehouse_event (shop_id, warehouse_id, id, type, actor)
     select $2, id, id, 'ACTIVATED', 'bench' from opened`,
    [warehouseId, shopId],
  );
  const keys = Array.from({ length: skus }, () => ({ shopId, sku: `B-${newId()}` }));
  for (const { sku } of keys) {
    const levelId = newId();
    await client.query('insert into stock_item (shop_id, sku, available) values ($1, $2, $3)', [
      shopId,
      sku,
      unitsPerSku,
    ]);
    await client.query(
      `insert into stock_level (id, warehouse_id, shop_id, sku, on_hand, last_seq)
       values ($1, $2, $3, $4, $5, 1)`,
      [levelId, warehouseId, shopId, sku, unitsPerSku],
    );
    await client.query(
      `insert into stock_movement (shop_id, level_id, id, seq, type, on_hand_delta, reserved_delta,
         on_hand, reserved, committed, unavailable, actor, created_at)
       values ($1, $2, $3, 1, 'RECEIPT', $4, 0, $4, 0, 0, 0, 'bench',
         uuid_extract_timestamp($3::uuid))`,
      [shopId, levelId, newId(), unitsPerSku],
    );
  }
  return keys;
}
