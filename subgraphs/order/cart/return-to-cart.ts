import type { EntityManager } from '@mikro-orm/postgresql';
import type { RowKey } from '../row-key.js';
import { changeCart } from './change-cart.js';
import { readCartChanges } from './take-from-cart.js';

/**
 * Puts the units that an order took from the cart back, in addition to what was added meanwhile. Part
 * of the transaction whose guarded update cancels the unpaid order, so that it happens once.
 */
export async function returnToCart(em: EntityManager, order: RowKey): Promise<void> {
  const lines = await readCartChanges(em, order, 'i.from_cart', 'i.from_cart > 0');
  if (lines.length > 0) await changeCart(em, order.customerId, 'restore', lines);
}
