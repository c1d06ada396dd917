import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../shared/database/sql.js';
import type { VersionOf } from '../../shared/messaging/apply-events.js';
import { lockProductsOfSkus } from '../locks.js';
import { updateListedPrices } from './listed-price.js';
import { isLive } from './sale-window.js';

/** Stores whether skus are in stock in shops. Older versions are ignored. */
export async function onStockChanged(
  tx: EntityManager,
  events: readonly VersionOf<'warehouse.stock.changed'>[],
): Promise<void> {
  const productIds = await lockProductsOfSkus(
    tx,
    events.map(({ payload }) => payload.sku),
  );
  const rows = events.map(({ version, payload }) => ({
    shop_id: payload.shopId,
    sku: payload.sku,
    regular: payload.inStock,
    of_sale: payload.saleInStock ?? false,
    stock_version: version,
  }));
  await sql(
    tx,
    `insert into offer_listing as listed (shop_id, sku, product_id, in_stock, regular_in_stock,
       sale_in_stock, stock_version)
     select distinct on (s.shop_id, s.sku) s.shop_id, s.sku, v.product_id, s.regular, s.regular,
       s.of_sale, s.stock_version
     from jsonb_to_recordset($1)
       as s (shop_id uuid, sku text, regular boolean, of_sale boolean, stock_version int)
     join product_variant as v on v.sku = s.sku
     order by s.shop_id, s.sku, s.stock_version desc
     on conflict (shop_id, sku) do update
       set in_stock = excluded.regular_in_stock or (excluded.sale_in_stock and ${isLive('listed')}),
         regular_in_stock = excluded.regular_in_stock, sale_in_stock = excluded.sale_in_stock,
         stock_version = excluded.stock_version, updated_at = now()
       where excluded.stock_version > listed.stock_version`,
    [JSON.stringify(rows)],
  );
  await updateListedPrices(tx, productIds);
}
