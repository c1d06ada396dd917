import { type Once, transact } from '../../../shared/database/transact.js';
import type { ProductContext } from '../../context.js';
import { unindexProduct } from '../../search/index-products.js';
import { ProductVariant } from '../variant.js';
import { retireVariants } from './remove-variant.js';
import { requireOwnProduct } from './require-own.js';

/**
 * Removes a product and its variants from the catalogue. References to them still resolve.
 *
 * @throws `NOT_FOUND`, `FORBIDDEN` for another vendor's product, `CONFLICT` while a shop has a variant in a sale
 */
export function deleteProduct(
  context: ProductContext,
  id: string,
  once?: Once<boolean>,
): Promise<boolean> {
  const work = async (tx: typeof context.em) => {
    const product = await requireOwnProduct(context, tx, id);
    const variants = await tx.find(ProductVariant, { productId: id, deletedAt: null });
    await retireVariants(tx, variants);
    product.deletedAt = new Date();
    await unindexProduct(tx, product);
    return true;
  };
  return transact(context.em, work, once);
}
