import type { EntityManager } from '@mikro-orm/postgresql';
import { forbidden, notFound } from '../../../shared/errors.js';
import { owns } from '../../../shared/rights/rights.js';
import type { ProductContext } from '../../context.js';
import { lockProduct } from '../../locks.js';
import type { Product } from '../product.js';
import { ProductVariant } from '../variant.js';

/**
 * The product, if the user made it or is an admin; locked until the transaction ends, so that it
 * does not gain a variant while it is deleted.
 *
 * @throws `NOT_FOUND`, also for what was deleted; `FORBIDDEN`
 */
export async function requireOwnProduct(
  context: ProductContext,
  tx: EntityManager,
  id: string,
): Promise<Product> {
  const product = await lockProduct(tx, id);
  if (!product) throw notFound('product', id);
  if (!owns(context, product.createdById)) throw forbidden();
  return product;
}

/**
 * The variant, if the user made its product or is an admin; its product is locked until the
 * transaction ends.
 *
 * @throws `NOT_FOUND`, also for what was removed; `FORBIDDEN`
 */
export async function requireOwnVariant(
  context: ProductContext,
  tx: EntityManager,
  sku: string,
): Promise<ProductVariant> {
  const variant = await tx.findOne(ProductVariant, { sku, deletedAt: null });
  if (!variant) throw notFound('variant', sku);
  await requireOwnProduct(context, tx, variant.productId);
  // Whoever had the lock before may have removed it.
  await tx.refresh(variant);
  if (variant.deletedAt) throw notFound('variant', sku);
  return variant;
}
