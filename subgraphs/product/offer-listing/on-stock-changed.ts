import type { EntityManager } from '@mikro-orm/postgresql';
import type { PayloadOf } from '../../contracts/events.js';
import { sql } from '../../shared/database/sql.js';
import type { OutboxEvent } from '../../shared/messaging/inbox.js';
import { lockProductOfSku } from '../locks.js';
import { updateListedPrices } from './listed-price.js';

/** Stores whether a sku is in stock in a shop. An older version is ignored. */
export async function onStockChanged(
  tx: EntityManager,
  { version }: OutboxEvent,
  { shopId, sku, inStock }: PayloadOf<'warehouse.stock.changed'>,
): Promise<void> {
  const productId = await lockProductOfSku(tx, sku);
  await sql(
    tx,
    `insert into offer_listing as listed (shop_id, sku, product_id, in_stock, stock_version)
     select $1, sku, product_id, $3, $4 from product_variant where sku = $2
     on conflict (shop_id, sku) do update
       set in_stock = excluded.in_stock, stock_version = excluded.stock_version, updated_at = now()
       where excluded.stock_version > listed.stock_version`,
    [shopId, sku, inStock, version],
  );
  await updateListedPrices(tx, productId);
}
