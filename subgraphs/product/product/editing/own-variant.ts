import type { EntityManager } from '@mikro-orm/postgresql';
import { notFound } from '../../../shared/errors.js';
import type { ProductContext } from '../../context.js';
import { ProductVariant } from '../variant.js';
import { ownProduct } from './own-product.js';

/**
 * The variant, if the user made its product or is an admin; its product is locked until the
 * transaction ends.
 *
 * @throws `NOT_FOUND`, also for what was removed; `FORBIDDEN`
 */
export async function ownVariant(
  context: ProductContext,
  tx: EntityManager,
  sku: string,
): Promise<ProductVariant> {
  const variant = await tx.findOne(ProductVariant, { sku, deletedAt: null });
  if (!variant) throw notFound('variant', sku);
  await ownProduct(context, tx, variant.productId);
  // Whoever had the lock before may have removed it.
  await tx.refresh(variant);
  if (variant.deletedAt) throw notFound('variant', sku);
  return variant;
}
