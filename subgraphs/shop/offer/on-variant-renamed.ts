import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../shared/database/sql.js';
import type { OutboxEvent } from '../../shared/messaging/inbox.js';
import { lockSku } from '../locks.js';
import { renameOffers } from './variant-name.js';

/** Event of the product subgraph: a variant or its product was renamed. */
export interface VariantRenamed {
  readonly sku: string;
  /** name of the product and of the variant: "product, variant" */
  readonly name: string;
}

/** Renames all offers of a variant: search and new orders use the name. */
export async function onVariantRenamed(
  tx: EntityManager,
  { version }: OutboxEvent,
  { sku, name }: VariantRenamed,
): Promise<void> {
  await lockSku(tx, sku);
  await sql(tx, renameOffers, [sku, name, version]);
}
