import { effect, signal } from '@preact/signals';
import { forgetSeenActions } from '../actions/use-action.js';
import { type CartContentsFragment, CartDocument } from '../graph/operations.js';
import { request } from '../session/request.js';
import { currentUser } from '../session/stored-session.js';

const storageKey = 'holdfast.cart-units';

/**
 * Units in the cart as last seen, in all tabs. It is stored so that a page for everyone needs no request as the
 * signed-in user.
 */
export const cartUnits = signal(Number(localStorage.getItem(storageKey) ?? 0));

/** Notes what an answer says of the cart: whether units were added is known now. */
export function noteCart({ items }: CartContentsFragment): void {
  cartUnits.value = items.reduce((sum, { quantity }) => sum + quantity, 0);
  forgetSeenActions(['addToCart', 'undoRemoval']);
}

/** Reads the cart, after something else than this page has changed it. */
export async function refreshCartUnits(): Promise<void> {
  const answer = await request(CartDocument, {}).catch(() => null);
  if (answer) noteCart(answer.cart);
}

effect(() => localStorage.setItem(storageKey, String(cartUnits.value)));
let shownUserId = currentUser.peek()?.id;
effect(() => {
  const userId = currentUser.value?.id;
  if (userId === shownUserId) return;
  shownUserId = userId;
  if (userId) void refreshCartUnits();
  else cartUnits.value = 0;
});
window.addEventListener('storage', ({ key, newValue }) => {
  if (key === storageKey) cartUnits.value = Number(newValue ?? 0);
});
