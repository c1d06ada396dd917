import type { EntityManager } from '@mikro-orm/postgresql';
import type { PayloadOf } from '../../contracts/events.js';
import { sql } from '../../shared/database/sql.js';
import type { OutboxEvent } from '../../shared/messaging/inbox.js';
import { lockProductOfSku } from '../locks.js';
import { updateListedPrices } from './listed-price.js';

/**
 * Stores an offer as it is now. An older version is ignored, and so is a late event of an offer that was
 * removed and then created again under a new id: ids are in the order of time.
 */
export async function onOfferChanged(
  tx: EntityManager,
  { version }: OutboxEvent,
  { offerId, shopId, sku, price, currencyCode, active }: PayloadOf<'shop.offer.changed'>,
): Promise<void> {
  const productId = await lockProductOfSku(tx, sku);
  const offer = {
    shop_id: shopId,
    sku,
    offer_id: offerId,
    price_amount: price,
    currency_code: currencyCode,
    active,
    offer_version: version,
  };
  await sql(
    tx,
    `insert into offer_listing as listed
       (shop_id, sku, product_id, offer_id, price_amount, currency_code, active, offer_version)
     select o.shop_id, o.sku, v.product_id, o.offer_id, o.price_amount, o.currency_code,
       o.active and v.deleted_at is null, o.offer_version
     from jsonb_to_record($1) as o (shop_id uuid, sku text, offer_id uuid, price_amount numeric,
       currency_code text, active boolean, offer_version int)
     join product_variant as v on v.sku = o.sku
     on conflict (shop_id, sku) do update
       set offer_id = excluded.offer_id, price_amount = excluded.price_amount,
         currency_code = excluded.currency_code, active = excluded.active,
         offer_version = excluded.offer_version, updated_at = now()
       where listed.offer_id is null
         or (excluded.offer_id, excluded.offer_version) > (listed.offer_id, listed.offer_version)`,
    [JSON.stringify(offer)],
  );
  await updateListedPrices(tx, productId);
}
