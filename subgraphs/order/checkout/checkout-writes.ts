import type { EntityManager } from '@mikro-orm/postgresql';
import { groupWrites } from '../../shared/batching/group-writes.js';
import { OutcomeUnknown, tryAgain } from '../../shared/errors.js';
import type { SubgraphContext } from '../../shared/graphql/context.js';
import { changeOrders, type OrderWithChange } from '../order/transitions/change-orders.js';
import type { PaymentApp } from '../payment/payment-app.js';
import type { BuyerHashes } from '../sale-limit/sale-buyer.js';
import type { NewOrder } from './new-order.js';
import { type Placing, type PlacingLimits, placeOrders } from './place-order.js';
import type { ShortSkus } from './short-skus.js';
import {
  type OrderOutcome,
  type RefusedCheckout,
  type ReservedOrder,
  storeRefusals,
} from './store-outcomes.js';

export type Placed = Exclude<Placing, { state: 'next' }>;

/** Orders that share a counter are placed one after the other: this is how long the last one waits. */
const placeMaxMs = 9000;

/** Nobody sees an order whose stock was not requested, and its key finds it: so nothing has happened. */
function asNothing(error: unknown): never {
  if (!(error instanceof OutcomeUnknown)) throw error;
  throw tryAgain('Service temporarily unavailable. Please retry with the same key.');
}

/** The writes of checkouts. Concurrent ones share one statement and one commit. */
export interface CheckoutWrites {
  /** @throws `TRY_AGAIN` when too many orders with the same counters are placed at once */
  place(order: NewOrder): Promise<Placed>;
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
  readonly buyerHashes: BuyerHashes;
};
export type CheckoutContext = SubgraphContext<CheckoutApp>;

/** Of an order with no line in a cart and no payment. */
const outOfStock = { to: 'CANCELLED', reason: 'OUT_OF_STOCK' } as const;

export function createCheckoutWrites(em: EntityManager, limits: PlacingLimits): CheckoutWrites {
  const placeInGroup = groupWrites((orders: readonly NewOrder[]) =>
    placeOrders(em.fork(), orders, limits),
  );
  async function place(order: NewOrder): Promise<Placed> {
    const latestMs = performance.now() + placeMaxMs;
    while (performance.now() < latestMs) {
      const placing = await placeInGroup(order).catch(asNothing);
      if (placing.state !== 'next') return placing;
    }
    throw tryAgain('Too many orders are placed at once. Please retry with the same key.');
  }
  const change = groupWrites((orders: readonly OrderWithChange[]) =>
    changeOrders(em.fork(), orders),
  );
  return {
    place,
    markReserved: ({ order, expiresAt, ...stored }) =>
      change({ order, change: { to: 'HELD', expiresAt }, stored }),
    cancelOutOfStock: ({ order, ...stored }) =>
      change({ order, change: { ...outOfStock, unlessHeld: true }, stored }),
    storeRefusal: groupWrites((refused: readonly RefusedCheckout[]) =>
      storeRefusals(em.fork(), refused),
    ),
  };
}
