import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../shared/database/sql.js';
import type { VersionOf } from '../../shared/messaging/apply-events.js';
import { lockProductsOfSkus } from '../locks.js';
import { updateListedPrices } from './listed-price.js';
import { isLive, saleColumns } from './sale-window.js';

/**
 * Stores offers as they are now, with the windows of their sales. An older version is ignored, and so is a late event
 * of an offer that was removed and then created again under a new id: ids are in the order of time.
 */
export async function onOfferChanged(
  tx: EntityManager,
  events: readonly VersionOf<'shop.offer.changed'>[],
): Promise<void> {
  const productIds = await lockProductsOfSkus(
    tx,
    events.map(({ payload }) => payload.sku),
  );
  const rows = events.map(({ version, payload }) => ({
    shop_id: payload.shopId,
    sku: payload.sku,
    offer_id: payload.offerId,
    price_amount: payload.price,
    currency_code: payload.currencyCode,
    active: payload.active,
    offer_version: version,
    sale_id: payload.sale?.id,
    sale_amount: payload.sale?.price,
    sale_starts_at: payload.sale?.startsAt,
    sale_ends_at: payload.sale?.endsAt,
    sale_paused: payload.sale?.paused ?? false,
  }));
  await sql(
    tx,
    `insert into offer_listing as listed
       (shop_id, sku, product_id, offer_id, currency_code, active, offer_version, ${saleColumns.names})
     select distinct on (o.shop_id, o.sku) o.shop_id, o.sku, v.product_id, o.offer_id,
       o.currency_code, o.active and v.deleted_at is null, o.offer_version, ${saleColumns.values}
     from jsonb_to_recordset($1) as o (shop_id uuid, sku text, offer_id uuid, price_amount numeric,
       currency_code text, active boolean, offer_version int, ${saleColumns.record})
     join product_variant as v on v.sku = o.sku
     order by o.shop_id, o.sku, o.offer_id desc, o.offer_version desc
     on conflict (shop_id, sku) do update
       set offer_id = excluded.offer_id, currency_code = excluded.currency_code,
         active = excluded.active, offer_version = excluded.offer_version, ${saleColumns.excluded},
         in_stock = listed.regular_in_stock or (listed.sale_in_stock and ${isLive('excluded')}),
         updated_at = now()
       where listed.offer_id is null
         or (excluded.offer_id, excluded.offer_version) > (listed.offer_id, listed.offer_version)`,
    [JSON.stringify(rows)],
  );
  await updateListedPrices(tx, productIds);
}
