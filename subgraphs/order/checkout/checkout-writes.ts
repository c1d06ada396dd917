import type { EntityManager } from '@mikro-orm/postgresql';
import { groupWrites } from '../../shared/batching/group-writes.js';
import type { SubgraphContext } from '../../shared/graphql/context.js';
import { changeOrders, type OrderWithChange } from '../order/transitions/change-orders.js';
import type { PaymentApp } from '../payment/payment-app.js';
import { hasLimits, type NewOrder, placeOrder, placeOrders } from './place-order.js';
import type { ShortSkus } from './short-skus.js';
import {
  type OrderOutcome,
  type RefusedCheckout,
  type ReservedOrder,
  storeRefusals,
} from './store-outcomes.js';

/** The writes of checkouts. Concurrent ones share one statement and one commit. */
export interface CheckoutWrites {
  /** @returns whether any line was in the customer's cart. @throws LimitExceeded */
  place(order: NewOrder): Promise<boolean>;
  /** @returns whether the reservation was recorded, with the outcome of its key */
  markReserved(order: ReservedOrder): Promise<boolean>;
  /** @returns whether the order was cancelled as out of stock, with the outcome of its key */
  cancelOutOfStock(order: OrderOutcome): Promise<boolean>;
  /** @returns whether the outcome was stored; not if the key has one, an order, or a later claim */
  storeRefusal(refused: RefusedCheckout): Promise<boolean>;
}

export type CheckoutApp = PaymentApp & {
  readonly writes: CheckoutWrites;
  readonly shortSkus: ShortSkus;
};
export type CheckoutContext = SubgraphContext<CheckoutApp>;

/** Of an order with no line in a cart and no payment. */
const outOfStock = { to: 'CANCELLED', reason: 'OUT_OF_STOCK' } as const;

export function createCheckoutWrites(em: EntityManager): CheckoutWrites {
  const place = groupWrites((orders: readonly NewOrder[]) => placeOrders(em.fork(), orders));
  const change = groupWrites((orders: readonly OrderWithChange[]) =>
    changeOrders(em.fork(), orders),
  );
  return {
    // An exceeded limit must roll back its own order only.
    place: (order) => (hasLimits(order) ? placeOrder(em, order) : place(order)),
    markReserved: ({ order, expiresAt, ...stored }) =>
      change({ order, change: { to: 'HELD', expiresAt }, stored }),
    cancelOutOfStock: ({ order, ...stored }) =>
      change({ order, change: { ...outOfStock, unlessHeld: true }, stored }),
    storeRefusal: groupWrites((refused: readonly RefusedCheckout[]) =>
      storeRefusals(em.fork(), refused),
    ),
  };
}
