import type { EntityManager } from '@mikro-orm/postgresql';
import { groupWrites } from '../../shared/batching/group-writes.js';
import { type ClaimOnce, createClaims } from '../../shared/idempotency.js';
import { hasLimits, type NewOrder, placeOrder, placeOrders } from './place-order.js';
import { type HeldOrder, holdOrders, refuseOrders, type SettledOrder } from './store-outcomes.js';

/** What checkouts write, those of one moment by one statement, with one commit. */
export interface CheckoutWrites {
  readonly claimKey: ClaimOnce;
  /** @returns whether any of it was in the customer's cart. @throws LimitExceeded */
  place(order: NewOrder): Promise<boolean>;
  /** @returns whether it was written down, with the outcome of its key */
  hold(order: HeldOrder): Promise<boolean>;
  /** @returns whether it was ended as out of stock, with the outcome of its key */
  refuse(order: SettledOrder): Promise<boolean>;
}

export function createCheckoutWrites(em: EntityManager): CheckoutWrites {
  const place = groupWrites((orders: readonly NewOrder[]) => placeOrders(em.fork(), orders));
  return {
    claimKey: createClaims(em),
    // A limit that is passed undoes its order alone.
    place: (order) => (hasLimits(order) ? placeOrder(em, order) : place(order)),
    hold: groupWrites((orders: readonly HeldOrder[]) => holdOrders(em.fork(), orders)),
    refuse: groupWrites((orders: readonly SettledOrder[]) => refuseOrders(em.fork(), orders)),
  };
}
