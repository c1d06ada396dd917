import { identityOf } from '../../shared/auth/callers.js';
import { transact } from '../../shared/database/transact.js';
import type { OrderContext } from '../context.js';
import type { Cart } from './cart.js';
import { changeCart } from './change-cart.js';
import { readCart, readCartLines } from './read-cart.js';

/**
 * Removes an offer, or all of them, from the caller's cart. An offer that is not in it is ignored.
 *
 * @param offerId null for all
 */
export async function removeFromCart(context: OrderContext, offerId: string | null): Promise<Cart> {
  const { id } = identityOf(context);
  const lines = await readCartLines(context.em, id);
  const removed = lines.filter((line) => offerId === null || line.offerId === offerId);
  if (removed.length > 0) {
    const changes = removed.map((line) => ({ ...line, quantity: 0 }));
    await transact(context.em, (tx) => changeCart(tx, id, 'set', changes));
  }
  return readCart(context.em, id);
}
