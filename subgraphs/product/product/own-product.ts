import { forbidden, notFound } from '../../shared/errors.js';
import { owns } from '../../shared/rights.js';
import type { ProductContext } from '../context.js';
import { Product } from './product.js';

/**
 * The product, if the user made it or is an admin.
 *
 * @throws `NOT_FOUND`, `FORBIDDEN`
 */
export async function ownProduct(context: ProductContext, id: string): Promise<Product> {
  const product = await context.em.findOne(Product, id);
  if (!product) throw notFound('product', id);
  if (!owns(context, product.createdById)) throw forbidden();
  return product;
}
