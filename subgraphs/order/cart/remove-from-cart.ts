import { identityOf } from '../../shared/auth/callers.js';
import { transact } from '../../shared/database/transact.js';
import type { OrderContext } from '../context.js';
import type { Cart } from './cart.js';
import { changeCart } from './change-cart.js';
import { readCart, readCartLines } from './read-cart.js';

/**
 * Removes a line, or all of them, from the caller's cart. A line that is not in it is ignored.
 *
 * @param line null for all
 */
export async function removeFromCart(
  context: OrderContext,
  line: { readonly offerId: string; readonly saleId: string | null } | null,
): Promise<Cart> {
  const { id } = identityOf(context);
  const lines = await readCartLines(context.em, id);
  const removed = lines.filter(
    ({ offerId, saleId }) => !line || (offerId === line.offerId && saleId === line.saleId),
  );
  if (removed.length > 0) {
    const changes = removed.map((each) => ({ ...each, quantity: 0 }));
    await transact(context.em, (tx) => changeCart(tx, id, 'set', changes));
  }
  return readCart(context.em, id);
}
