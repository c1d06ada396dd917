import type { EntityManager } from '@mikro-orm/postgresql';
import { event } from '../../../contracts/events.js';
import { sql } from '../../../shared/database/sql.js';
import { type Once, transact } from '../../../shared/database/transact.js';
import { enqueue } from '../../../shared/messaging/outbox.js';
import type { ProductContext } from '../../context.js';
import { updateListedPrices } from '../../offer-listing/listed-price.js';
import type { ProductVariant } from '../variant.js';
import { requireOwnVariant } from './require-own.js';

/**
 * Removes a variant from the catalogue. References to it still resolve, and its sku is never reused.
 *
 * @throws `NOT_FOUND`, `FORBIDDEN` for another vendor's product
 */
export function removeVariant(
  context: ProductContext,
  sku: string,
  once?: Once<boolean>,
): Promise<boolean> {
  const work = async (tx: EntityManager) => {
    await retireVariants(tx, [await requireOwnVariant(context, tx, sku)]);
    return true;
  };
  return transact(context.em, work, once);
}

/** Removes variants and, in the same commit, enqueues the events upon which shops end their offers. */
export async function retireVariants(
  tx: EntityManager,
  variants: readonly ProductVariant[],
): Promise<void> {
  for (const variant of variants) variant.deletedAt = new Date();
  await sql(
    tx,
    'update offer_listing set active = false, updated_at = now() where sku = any($1) and active',
    [variants.map(({ sku }) => sku)],
  );
  await updateListedPrices(tx, [...new Set(variants.map(({ productId }) => productId))]);
  await enqueue(
    tx,
    variants.map(({ sku }) => event('product.variant.removed', { sku })),
  );
}
