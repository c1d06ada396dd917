import type { EntityManager } from '@mikro-orm/postgresql';
import { forbidden, notFound } from '../../../shared/errors.js';
import { owns } from '../../../shared/rights/rights.js';
import type { ProductContext } from '../../context.js';
import { lockProduct } from '../../locks.js';
import type { Product } from '../product.js';
import { ProductVariant } from '../variant.js';

/**
 * The product, if the user created it or is an admin; locked, so that it gains no variant while it is
 * being deleted.
 *
 * @throws `NOT_FOUND`, also for a deleted product; `FORBIDDEN`
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
 * The variant, if the user created its product or is an admin; its product is locked.
 *
 * @throws `NOT_FOUND`, also for a removed variant; `FORBIDDEN`
 */
export async function requireOwnVariant(
  context: ProductContext,
  tx: EntityManager,
  sku: string,
): Promise<ProductVariant> {
  const variant = await tx.findOne(ProductVariant, { sku, deletedAt: null });
  if (!variant) throw notFound('variant', sku);
  await requireOwnProduct(context, tx, variant.productId);
  // It may have been removed while this transaction waited for the lock.
  await tx.refresh(variant);
  if (variant.deletedAt) throw notFound('variant', sku);
  return variant;
}
