import { identityOf } from '../../shared/auth/callers.js';
import type { OrderContext } from '../context.js';
import type { Cart } from './cart.js';
import { changeCart } from './change-cart.js';
import { readCart, readCartLines } from './read-cart.js';

/**
 * Takes an offer, or all of them, out of the caller's cart; what is not in it is no fault.
 *
 * @param offerId null for all
 */
export async function removeFromCart(context: OrderContext, offerId: string | null): Promise<Cart> {
  const { id } = identityOf(context);
  const lines = await readCartLines(context.em, id);
  const meant = lines.filter((line) => offerId === null || line.offerId === offerId);
  if (meant.length > 0) {
    const changes = meant.map((line) => ({ ...line, quantity: 0 }));
    await context.em.fork().transactional((tx) => changeCart(tx, id, 'set', changes));
  }
  return readCart(context);
}
