import { forbidden, notFound } from '../../shared/errors.js';
import { owns } from '../../shared/rights/rights.js';
import type { ShopContext } from '../context.js';
import { Shop } from './shop.js';

/**
 * The shop, if the user owns it or is an admin.
 *
 * @throws `NOT_FOUND`, `FORBIDDEN`
 */
export async function requireOwnShop(context: ShopContext, id: string): Promise<Shop> {
  const shop = await context.em.findOne(Shop, id);
  if (!shop) throw notFound('shop', id);
  if (!owns(context, shop.ownerId)) throw forbidden();
  return shop;
}
