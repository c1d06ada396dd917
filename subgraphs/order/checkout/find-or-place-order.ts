import { isUniqueViolation } from '../../shared/database/errors.js';
import { sql } from '../../shared/database/sql.js';
import type { IdempotencyKeyRef } from '../../shared/idempotency/claim-key.js';
import { failPoint } from '../../shared/resilience/fail-point.js';
import { LimitExceeded } from '../purchase-limit/count-purchases.js';
import type { RowKey } from '../row-key.js';
import type { CheckoutInput, CheckoutItemInput } from './checkout-input.js';
import type { CheckoutApp } from './checkout-writes.js';
import { readOrderedLines } from './ordered-lines.js';
import type { Outcome } from './outcome.js';
import type { OrderLine } from './place-order.js';
import { shippingAddressOf } from './shipping-address.js';

/** A request whose idempotency key is claimed, which fixes the id of its order. */
export interface CheckoutAttempt {
  readonly app: CheckoutApp;
  readonly key: IdempotencyKeyRef;
  readonly orderId: string;
  /** whether the key was never claimed before, so that no order can exist under it */
  readonly isFirst: boolean;
  readonly customerId: string;
  /** null for the cart */
  readonly items: CheckoutItemInput[] | null;
  readonly input: CheckoutInput;
}

export interface PlacedLine {
  readonly offerId: string;
  readonly shopId: string;
  readonly sku: string;
  readonly quantity: number;
}

/** A pending order whose stock is to be reserved. */
export interface PlacedOrder {
  readonly lines: readonly PlacedLine[];
  /**
   * - `new`: this attempt placed it, and none of its lines is in the customer’s cart;
   * - `from-cart`: this attempt placed it, and some of its lines are in the cart;
   * - `resumed`: an earlier attempt placed it, maybe from the cart, and may have reserved its stock.
   */
  readonly origin: 'new' | 'from-cart' | 'resumed';
}

/**
 * Places the order of a checkout, or finds the one that an earlier attempt placed.
 *
 * @returns the order, or the refusal, for which nothing is written
 * @throws as `readOrderedLines` and `shippingAddressOf` do
 */
export async function findOrPlaceOrder(
  attempt: CheckoutAttempt,
): Promise<{ order: PlacedOrder } | { refusal: Outcome }> {
  const { app, orderId, customerId, items, input } = attempt;
  const placed = attempt.isFirst ? [] : await readPlacedLines(app, { customerId, id: orderId });
  if (placed.length > 0) return { order: { lines: placed, origin: 'resumed' } };

  const [shippingAddress, ordered] = await Promise.all([
    shippingAddressOf(app, customerId, input),
    readOrderedLines(app, customerId, items, input.expectedTotal),
  ]);
  if ('refusal' in ordered) return ordered;
  const { lines } = ordered;
  // Another process may have placed the order of a key that was claimed before: then the stock is its own.
  const short = attempt.isFirst ? await app.shortSkus.findShort(lines.map(toPlacedLine)) : [];
  if (short.length > 0) return { refusal: { kind: 'short', lines: short } };
  try {
    const isFromCart = await app.writes.place({ id: orderId, customerId, shippingAddress, lines });
    failPoint('order inserted, stock not reserved');
    return {
      order: { lines: lines.map(toPlacedLine), origin: isFromCart ? 'from-cart' : 'new' },
    };
  } catch (error) {
    if (error instanceof LimitExceeded) return { refusal: { kind: 'limited', lines: error.lines } };
    // Another process with this key placed the order meanwhile, at the prices that it read.
    if (!isUniqueViolation(error, 'customer_order_pkey')) throw error;
    return {
      order: { lines: await readPlacedLines(app, { customerId, id: orderId }), origin: 'resumed' },
    };
  }
}

const toPlacedLine = ({ offer, quantity }: OrderLine): PlacedLine => {
  return { offerId: offer.id, shopId: offer.shopId, sku: offer.sku, quantity };
};

/** The lines of an order that an earlier attempt placed; empty if there is none. */
function readPlacedLines(app: CheckoutApp, { customerId, id }: RowKey): Promise<PlacedLine[]> {
  return sql<PlacedLine>(
    app.orm.em.fork(),
    `select i.offer_id as "offerId", s.shop_id as "shopId", i.sku, i.quantity
     from shop_order s
       join order_item i on i.customer_id = s.customer_id and i.shop_order_id = s.id
     where s.customer_id = $1 and s.order_id = $2`,
    [customerId, id],
  );
}
