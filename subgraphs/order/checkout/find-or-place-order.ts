import { sql } from '../../shared/database/sql.js';
import { tryAgain } from '../../shared/errors.js';
import type { IdempotencyKeyRef } from '../../shared/idempotency/claim-key.js';
import { failPoint } from '../../shared/resilience/fail-point.js';
import { checkBuyer } from '../sale-limit/eligibility.js';
import type { CheckoutInput, CheckoutItemInput } from './checkout-input.js';
import type { CheckoutApp } from './checkout-writes.js';
import { toLimitRefusal } from './limit-refusal.js';
import { type NewOrder, type OrderLine, saleOf } from './new-order.js';
import { readOrderedLines } from './ordered-lines.js';
import type { Outcome } from './outcome.js';
import { saleHoldMs } from './sale-window.js';
import { shippingAddressOf } from './shipping-address.js';
import { toShortOutcome } from './short-outcome.js';

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
  /** null for regular units */
  readonly saleId: string | null;
}

/** A pending order whose stock is to be reserved. */
export interface PlacedOrder {
  readonly lines: readonly PlacedLine[];
  /** how long its stock is held; null: as the setting says */
  readonly reserveForMs: number | null;
  /**
   * - `new`: this attempt placed it, and none of its lines is in the customer’s cart;
   * - `from-cart`: this attempt placed it, and some of its lines are in the cart;
   * - `resumed`: an earlier attempt placed it, maybe from the cart, and may have reserved its stock.
   */
  readonly origin: 'new' | 'from-cart' | 'resumed';
}

type Found = { readonly order: PlacedOrder } | { readonly refusal: Outcome };

/** A decision of shop that is too old is made again so many times: the database is overloaded then. */
const decisionsMax = 3;

/**
 * Places the order of a checkout, or finds the one that an earlier attempt placed.
 *
 * @returns the order, or the refusal, for which nothing is written
 * @throws as `readOrderedLines`, `shippingAddressOf` and `checkBuyer` do
 */
export async function findOrPlaceOrder(attempt: CheckoutAttempt): Promise<Found> {
  const placed = attempt.isFirst ? null : await readPlacedOrder(attempt);
  if (placed) return { order: placed };
  for (let n = 0; n < decisionsMax; n++) {
    const found = await decideAndPlace(attempt);
    if (found !== 'stale') return found;
  }
  throw tryAgain('The checkout took too long. Please retry with the same key.');
}

async function decideAndPlace(attempt: CheckoutAttempt): Promise<Found | 'stale'> {
  const { app, customerId, items, input } = attempt;
  const [shippingAddress, ordered] = await Promise.all([
    shippingAddressOf(app, customerId, input),
    readOrderedLines(app, customerId, items, input.expectedTotal),
  ]);
  if ('refusal' in ordered) return ordered;
  const { lines } = ordered;
  const sales = lines.flatMap((line) => saleOf(line) ?? []);
  const checked = await checkBuyer(app, customerId, sales, shippingAddress);
  if ('reason' in checked) return { refusal: { kind: 'not-eligible', ...checked } };
  // Another process may have placed the order of a key that was claimed before: then the stock is its own.
  const short = attempt.isFirst ? await app.shortSkus.findShort(lines.map(toPlacedLine)) : [];
  if (short.length > 0) return { refusal: toShortOutcome(short) };
  const { buyer } = checked;
  const reserveForMs = saleHoldMs(lines, app.reserveForMs);
  const order = { id: attempt.orderId, customerId, shippingAddress, lines, buyer, reserveForMs };
  return place(attempt, order);
}

async function place(attempt: CheckoutAttempt, order: NewOrder): Promise<Found | 'stale'> {
  const placed = await attempt.app.writes.place(order);
  switch (placed.state) {
    case 'placed': {
      failPoint('order inserted, stock not reserved');
      const lines = order.lines.map(toPlacedLine);
      const origin = placed.inCart ? 'from-cart' : 'new';
      return { order: { lines, reserveForMs: order.reserveForMs ?? null, origin } };
    }
    // Another process with this key placed the order meanwhile, at the prices that it read.
    case 'exists':
      return { order: (await readPlacedOrder(attempt)) as PlacedOrder };
    case 'refused':
      return { refusal: await toLimitRefusal(attempt.app, order, placed.violations) };
    case 'stale':
      return 'stale';
  }
}

const toPlacedLine = (line: OrderLine): PlacedLine => {
  const { offer, quantity } = line;
  const saleId = saleOf(line)?.id ?? null;
  return { offerId: offer.id, shopId: offer.shopId, sku: offer.sku, quantity, saleId };
};

/** The order that an earlier attempt placed; null if there is none. */
async function readPlacedOrder({
  app,
  customerId,
  orderId,
}: CheckoutAttempt): Promise<PlacedOrder | null> {
  const rows = await sql<PlacedLine & { reserveForMs: number | null }>(
    app.orm.em.fork(),
    `select i.offer_id as "offerId", s.shop_id as "shopId", i.sku, i.quantity,
       i.sale_id as "saleId", o.reserve_for_ms as "reserveForMs"
     from customer_order o
       join shop_order s on s.customer_id = o.customer_id and s.order_id = o.id
       join order_item i on i.customer_id = s.customer_id and i.shop_order_id = s.id
     where o.customer_id = $1 and o.id = $2`,
    [customerId, orderId],
  );
  const [first] = rows;
  if (!first) return null;
  const lines = rows.map(({ reserveForMs: _, ...line }) => line);
  return { lines, reserveForMs: first.reserveForMs, origin: 'resumed' };
}
