import type { EntityManager } from '@mikro-orm/postgresql';
import Big from 'big.js';
import type { Shortage } from '../../contracts/reservation.js';
import { identityOf } from '../../shared/auth/callers.js';
import { isUniqueViolation } from '../../shared/database/errors.js';
import { sql } from '../../shared/database/sql.js';
import {
  claimKey,
  fingerprintOf,
  type IdempotencyKeyRef,
  releaseClaim,
  storeOutcome,
} from '../../shared/idempotency.js';
import { newId } from '../../shared/ids.js';
import { failPoint } from '../../shared/resilience/fail-point.js';
import type { ShortageLine } from '../cart/cart-refusals.js';
import { takeFromCart } from '../cart/move-cart.js';
import { endPending, setExpiresAt } from '../order/transitions/end-pending.js';
import { payPlacedOrder } from '../payment/pay-order.js';
import { LimitExceeded } from '../purchase-limit/count-purchases.js';
import { type CheckoutInput, type CheckoutItemInput, mergeItems } from './checkout-input.js';
import type { CheckoutApp, CheckoutContext } from './checkout-writes.js';
import { readOrderedLines } from './ordered-lines.js';
import { type Outcome, toCheckoutResult } from './outcome.js';
import type { OrderLine } from './place-order.js';
import { requireOneAddress, shippingAddressOf } from './shipping-address.js';

/**
 * Places an order across shops and reserves its stock, all or nothing. The same customer and key get
 * the same answer, even if a process dies in between.
 *
 * @throws `BAD_USER_INPUT`, `IDEMPOTENCY_KEY_REUSED`, and `TRY_AGAIN` while a service is unavailable:
 *   a retry with the same key is safe
 */
export async function checkout(context: CheckoutContext, input: CheckoutInput) {
  const { app, em } = context;
  const customerId = identityOf(context).id;
  requireOneAddress(input);
  const items = input.items ? mergeItems(input.items) : null;
  const key: IdempotencyKeyRef = {
    userId: customerId,
    operation: 'checkout',
    key: input.idempotencyKey,
  };
  const { shippingAddress, addressId, expectedTotal, paymentMethod } = input;
  const total = expectedTotal && new Big(expectedTotal).toFixed();
  const request = [items ?? 'cart', shippingAddress ?? addressId, total, paymentMethod];
  const id = newId();
  const claim = await claimKey<Outcome>(app.claimKey, key, fingerprintOf(request), id);
  // The payment is found by the order's id, so that a retry with the key continues it.
  const finish = (outcome: Outcome) =>
    outcome.kind === 'placed' && paymentMethod
      ? payPlacedOrder(context, outcome.orderId, paymentMethod)
      : toCheckoutResult(context, outcome);
  if (claim.outcome) return finish(claim.outcome);
  try {
    const placing = { id: claim.subjectId, customerId, items, input };
    return await finish(await placeAndReserve(app, key, placing, claim.subjectId === id));
  } catch (error) {
    await releaseClaim(em, key, claim.subjectId).catch(() => {}); // it expires anyway
    throw error;
  }
}

/** @param isNew whether the key was never claimed before, so that no order can exist under it */
async function placeAndReserve(
  app: CheckoutApp,
  key: IdempotencyKeyRef,
  placing: Placing,
  isNew: boolean,
): Promise<Outcome> {
  const { id, customerId, items, input } = placing;
  const placed = isNew ? [] : await readPlacedLines(app, id);
  if (placed.length > 0) return reserveStock(app, key, id, resumed(placed));

  const [shippingAddress, ordered] = await Promise.all([
    shippingAddressOf(app, customerId, input),
    readOrderedLines(app, customerId, items, input.expectedTotal),
  ]);
  if ('refusal' in ordered) return commitOutcome(app, key, id, ordered.refusal);
  let inCart: boolean;
  try {
    inCart = await app.writes.place({ id, customerId, shippingAddress, lines: ordered.lines });
    failPoint('order inserted, stock not reserved');
  } catch (error) {
    if (error instanceof LimitExceeded) {
      return commitOutcome(app, key, id, { kind: 'limited', lines: error.lines });
    }
    // Another process with this key placed the order meanwhile, at the prices that it read.
    if (!isUniqueViolation(error, 'customer_order_pkey')) throw error;
    return reserveStock(app, key, id, resumed(await readPlacedLines(app, id)));
  }
  return reserveStock(app, key, id, {
    lines: ordered.lines.map(toPlacedLine),
    isResumed: false,
    inCart,
  });
}

interface Placing {
  readonly id: string;
  readonly customerId: string;
  /** null for the cart */
  readonly items: CheckoutItemInput[] | null;
  readonly input: CheckoutInput;
}

const toPlacedLine = ({ offer, quantity }: OrderLine): PlacedLine => {
  return { offerId: offer.id, shopId: offer.shopId, sku: offer.sku, quantity };
};

/** An order that is placed, and whose stock is to be reserved. */
interface PlacedOrder {
  readonly lines: readonly PlacedLine[];
  /** whether another process may have requested its reservation before */
  readonly isResumed: boolean;
  /** whether any line may be in the customer's cart */
  readonly inCart: boolean;
}

const resumed = (lines: readonly PlacedLine[]): PlacedOrder => {
  return { lines, isResumed: true, inCart: true };
};

interface PlacedLine {
  offerId: string;
  shopId: string;
  sku: string;
  quantity: number;
}

/** The lines of an order that a process placed before it died; empty for a new order. */
function readPlacedLines(app: CheckoutApp, orderId: string): Promise<PlacedLine[]> {
  return sql<PlacedLine>(
    app.orm.em.fork(),
    `select i.offer_id as "offerId", s.shop_id as "shopId", i.sku, i.quantity
     from shop_order s join order_item i on i.shop_order_id = s.id where s.order_id = $1`,
    [orderId],
  );
}

/** Reserves the stock of a placed order, and records the result with the outcome of its key. */
async function reserveStock(
  app: CheckoutApp,
  key: IdempotencyKeyRef,
  orderId: string,
  { lines, isResumed, inCart }: PlacedOrder,
): Promise<Outcome> {
  const wanted = lines.map(toReservationLine);
  const answer = await app.reservations.reserve(orderId, wanted, app.holdForMs);
  failPoint('stock reserved, not recorded');
  switch (answer.state) {
    case 'HELD': {
      const expiresAt = new Date(answer.expiresAt as string);
      const outcome: Outcome = { kind: 'placed', orderId };
      const reserved = { orderId, expiresAt, key, outcome };
      if (!inCart && (await app.writes.markReserved(reserved))) return outcome;
      const stored = await commitOutcome(app, key, orderId, outcome, async (em) => {
        if (await setExpiresAt(em, orderId, expiresAt)) {
          await takeFromCart(em, orderId);
          return null;
        }
        // Another process with this key recorded it first; or the order ended meanwhile.
        return (await isCancelled(em, orderId)) ? { kind: 'expired', orderId } : null;
      });
      if (stored.kind === 'expired') await releaseReservationQuietly(app, orderId);
      return stored;
    }
    case 'SHORT': {
      const short = shortLines(lines, answer.shortages ?? []);
      const outcome: Outcome = { kind: 'short', orderId, lines: short };
      const isRepeated = isResumed || answer.isRepeated;
      if (!inCart && !isRepeated && (await app.writes.cancelOutOfStock({ orderId, key, outcome })))
        return outcome;
      const stored = await commitOutcome(app, key, orderId, outcome, async (em) => {
        await endPending(em, orderId, { status: 'CANCELLED', reason: 'OUT_OF_STOCK' });
        // Another process with this key got the stock, and recorded it first.
        return (await isCancelled(em, orderId)) ? null : { kind: 'placed', orderId };
      });
      if (stored.kind === 'short' && isRepeated) await releaseReservationQuietly(app, orderId);
      return stored;
    }
    case 'COMMITTED':
      return commitOutcome(app, key, orderId, { kind: 'placed', orderId });
    default:
      return commitOutcome(app, key, orderId, { kind: 'expired', orderId });
  }
}

/**
 * Releases what is reserved for a cancelled order, or will be by a request that is still under way.
 * If this fails, the warehouse subgraph releases it at its expiry.
 */
async function releaseReservationQuietly(
  { reservations, logger }: CheckoutApp,
  orderId: string,
): Promise<void> {
  await reservations.release(orderId, 'ABANDONED').catch((error) => {
    logger.warn({ err: error, orderId }, 'could not release the reservation; it will expire');
  });
}

async function isCancelled(em: EntityManager, orderId: string): Promise<boolean> {
  const cancelled = `select 1 from customer_order where id = $1 and status = 'CANCELLED'`;
  return (await sql(em, cancelled, [orderId])).length > 0;
}

const toReservationLine = ({ shopId, sku, quantity }: PlacedLine) => ({ shopId, sku, quantity });

/** One commit: the change of the order, if there is one, and the outcome of the key. */
function commitOutcome(
  app: CheckoutApp,
  key: IdempotencyKeyRef,
  subjectId: string,
  outcome: Outcome,
  change: (em: EntityManager) => Promise<Outcome | null> = async () => null,
): Promise<Outcome> {
  return app.orm.em.fork().transactional(async (em) => {
    const stored = (await change(em as EntityManager)) ?? outcome;
    await storeOutcome(em as EntityManager, key, subjectId, stored);
    return stored;
  });
}

function shortLines(lines: readonly PlacedLine[], shortages: readonly Shortage[]): ShortageLine[] {
  return shortages.flatMap(({ shopId, sku, requested, available }) => {
    const line = lines.find((each) => each.shopId === shopId && each.sku === sku);
    return line ? [{ offerId: line.offerId, requested, available }] : [];
  });
}
