import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../shared/database/sql.js';
import type { VersionOf } from '../../shared/messaging/apply-events.js';
import { lockProductsOfSkus } from '../locks.js';
import { updateListedPrices } from './listed-price.js';

/** Stores whether skus are in stock in shops. Older versions are ignored. */
export async function onStockChanged(
  tx: EntityManager,
  events: readonly VersionOf<'warehouse.stock.changed'>[],
): Promise<void> {
  const productIds = await lockProductsOfSkus(
    tx,
    events.map(({ payload }) => payload.sku),
  );
  const rows = events.map(({ version, payload: { shopId, sku, inStock } }) => {
    return { shop_id: shopId, sku, in_stock: inStock, stock_version: version };
  });
  await sql(
    tx,
    `insert into offer_listing as listed (shop_id, sku, product_id, in_stock, stock_version)
     select distinct on (s.shop_id, s.sku) s.shop_id, s.sku, v.product_id, s.in_stock, s.stock_version
     from jsonb_to_recordset($1) as s (shop_id uuid, sku text, in_stock boolean, stock_version int)
     join product_variant as v on v.sku = s.sku
     order by s.shop_id, s.sku, s.stock_version desc
     on conflict (shop_id, sku) do update
       set in_stock = excluded.in_stock, stock_version = excluded.stock_version, updated_at = now()
       where excluded.stock_version > listed.stock_version`,
    [JSON.stringify(rows)],
  );
  await updateListedPrices(tx, productIds);
}
