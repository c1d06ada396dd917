import type { EntityManager } from '@mikro-orm/postgresql';
import type { PayloadOf } from '../../contracts/events.js';
import { sql } from '../../shared/database/sql.js';
import type { OutboxEvent } from '../../shared/messaging/inbox.js';
import { lockSku } from '../locks.js';
import { enqueueOfferChanged } from './offer-changed.js';
import { type OfferRow, offerColumns } from './read-offers.js';
import { retireSku } from './retired-sku.js';

/**
 * Retires a sku: its offers become inactive, and no offer of it can be set again. The product subgraph refuses to
 * remove a variant that is in a sale, as far as it has learned of it: one that was published at that moment loses the
 * variant.
 */
export async function onVariantRemoved(
  tx: EntityManager,
  _event: OutboxEvent,
  { sku }: PayloadOf<'product.variant.removed'>,
): Promise<void> {
  await lockSku(tx, sku);
  await retireSku(tx, sku);
  const retired = await sql<OfferRow>(
    tx,
    `with retired as (select id from offer where sku = $1 and active order by id for no key update)
     update offer set active = false, version = version + 1, updated_at = now()
     where id in (select id from retired) returning ${offerColumns}`,
    [sku],
  );
  await enqueueOfferChanged(tx, retired);
}
