import type { EntityManager } from '@mikro-orm/postgresql';
import type { PayloadOf } from '../../contracts/events.js';
import { sql } from '../../shared/database/sql.js';
import type { OutboxEvent } from '../../shared/messaging/inbox.js';
import { lockSku } from '../locks.js';
import { offerWords } from '../search.js';
import { renameOffers } from './variant-name.js';

/** Renames all offers of a variant: search and new orders use the name. */
export async function onVariantRenamed(
  tx: EntityManager,
  { version }: OutboxEvent,
  { sku, name }: PayloadOf<'product.variant.renamed'>,
): Promise<void> {
  await lockSku(tx, sku);
  await sql(tx, renameOffers, [sku, name, version, offerWords(name, sku)]);
}
