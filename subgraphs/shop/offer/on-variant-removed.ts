import type { EntityManager } from '@mikro-orm/postgresql';
import type { PayloadOf } from '../../contracts/events.js';
import { sql } from '../../shared/database/sql.js';
import type { OutboxEvent } from '../../shared/messaging/inbox.js';
import { lockSku } from '../locks.js';
import { enqueueOfferChanged } from './offer-changed.js';
import { type OfferRow, offerColumns } from './read-offers.js';
import { retireSku } from './retired-sku.js';

/** Retires a sku: its offers become inactive, and no offer of it can be set again. */
export async function onVariantRemoved(
  tx: EntityManager,
  _event: OutboxEvent,
  { sku }: PayloadOf<'product.variant.removed'>,
): Promise<void> {
  await lockSku(tx, sku);
  await retireSku(tx, sku);
  const retired = await sql<OfferRow>(
    tx,
    `update offer set active = false, version = version + 1, updated_at = now()
     where sku = $1 and active returning ${offerColumns}`,
    [sku],
  );
  await enqueueOfferChanged(tx, retired);
}
