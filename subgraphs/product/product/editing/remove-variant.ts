import type { EntityManager } from '@mikro-orm/postgresql';
import { event } from '../../../contracts/events.js';
import { sql } from '../../../shared/database/sql.js';
import { type Once, transact } from '../../../shared/database/transact.js';
import { conflict } from '../../../shared/errors.js';
import { enqueue } from '../../../shared/messaging/outbox.js';
import type { ProductContext } from '../../context.js';
import { updateListedPrices } from '../../offer-listing/listed-price.js';
import type { ProductVariant } from '../variant.js';
import { requireOwnVariant } from './require-own.js';

/**
 * Removes a variant from the catalogue. References to it still resolve, and its sku is never reused.
 *
 * @throws `NOT_FOUND`, `FORBIDDEN` for another vendor's product, `CONFLICT` while a shop has it in a sale
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

/**
 * Removes variants and, in the same commit, enqueues the events upon which shops end their offers. Their products are
 * locked.
 *
 * @throws `CONFLICT` for a variant that is in a sale which has not ended
 */
export async function retireVariants(
  tx: EntityManager,
  variants: readonly ProductVariant[],
): Promise<void> {
  const [inSale] = await sql<{ sku: string; until: Date }>(
    tx,
    `select sku, sale_ends_at as until from offer_listing
     where sku = any($1) and sale_ends_at > now() order by sale_ends_at desc limit 1`,
    [variants.map(({ sku }) => sku)],
  );
  if (inSale)
    throw conflict(
      `The variant ${inSale.sku} is in a sale until ${new Date(inSale.until).toISOString()}. Remove it afterwards.`,
    );
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
