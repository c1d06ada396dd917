import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { forbidden, notFound } from '../../../shared/errors.js';
import { owns } from '../../../shared/rights/rights.js';
import type { ProductContext } from '../../context.js';
import { Product } from '../product.js';

/**
 * The product, if the user made it or is an admin; locked until the transaction ends, so that it
 * does not gain a variant while it is deleted.
 *
 * @throws `NOT_FOUND`, also for what was deleted; `FORBIDDEN`
 */
export async function ownProduct(
  context: ProductContext,
  tx: EntityManager,
  id: string,
): Promise<Product> {
  const lockMode = LockMode.PESSIMISTIC_WRITE;
  const product = await tx.findOne(Product, { id, deletedAt: null }, { lockMode });
  if (!product) throw notFound('product', id);
  if (!owns(context, product.createdById)) throw forbidden();
  return product;
}
