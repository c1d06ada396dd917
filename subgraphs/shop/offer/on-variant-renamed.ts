import type { EntityManager } from '@mikro-orm/postgresql';
import type { PayloadOf } from '../../contracts/events.js';
import { sql } from '../../shared/database/sql.js';
import type { OutboxEvent } from '../../shared/messaging/inbox.js';
import { lockSku, renameOffers } from './variant-name.js';

/** Gives all offers of a variant its name, by which they are searched and ordered. */
export async function onVariantRenamed(
  tx: EntityManager,
  { version }: OutboxEvent,
  { sku, name }: PayloadOf<'product.variant.renamed'>,
): Promise<void> {
  await sql(tx, lockSku, [sku]);
  await sql(tx, renameOffers, [sku, name, version]);
}
