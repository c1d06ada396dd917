import { LockMode } from '@mikro-orm/core';
import { forbidden, notFound } from '../../shared/errors.js';
import { owns } from '../../shared/rights/rights.js';
import type { ShopContext } from '../context.js';
import { Shop } from './shop.js';

/**
 * The shop, if the user owns it or is an admin; locked if a mode is given, within a transaction.
 *
 * @throws `NOT_FOUND`, `FORBIDDEN`
 */
export async function requireOwnShop(
  context: ShopContext,
  id: string,
  lockMode: LockMode = LockMode.NONE,
): Promise<Shop> {
  const shop = await context.em.findOne(Shop, id, { lockMode });
  if (!shop) throw notFound('shop', id);
  if (!owns(context, shop.ownerId)) throw forbidden();
  return shop;
}
