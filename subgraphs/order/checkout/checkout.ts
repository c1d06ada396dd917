import type { EntityManager } from '@mikro-orm/postgresql';
import Big from 'big.js';
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
import { takeFromCart } from '../cart/move-cart.js';
import type { OrderApp, OrderContext } from '../context.js';
import { endPending, setExpiresAt } from '../order/transitions/end-pending.js';
import { payPlaced } from '../payment/pay-order.js';
import { LimitExceeded } from '../purchase-limit/count-purchases.js';
import type { Shortage } from '../warehouse-client/reservations.js';
import { type CheckoutInput, type CheckoutItemInput, mergeItems } from './checkout-input.js';
import { orderedLines } from './ordered-lines.js';
import { type Outcome, present, type ShortFact } from './outcome.js';
import type { OrderLine } from './place-order.js';
import { requireOneAddress, shippingAddressOf } from './shipping-address.js';

/**
 * Places an order across shops and holds its stock, all or nothing. The same customer and key get
 * the same answer, whichever process dies in between.
 *
 * @throws `BAD_USER_INPUT`, `IDEMPOTENCY_KEY_REUSED`, and `TRY_AGAIN` while a part of the system is
 *   away: the same request with the same key is safe then
 */
export async function checkout(context: OrderContext, input: CheckoutInput) {
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
  const claim = await claimKey<Outcome>(app.writes.claimKey, key, fingerprintOf(request), id);
  // What follows the hold is done under the order's id: whoever comes back with the key goes on.
  const payOrPresent = (outcome: Outcome) =>
    outcome.kind === 'placed' && paymentMethod
      ? payPlaced(context, outcome.orderId, paymentMethod)
      : present(context, outcome);
  if (claim.outcome) return payOrPresent(claim.outcome);
  try {
    const placing = { id: claim.subjectId, customerId, items, input };
    return await payOrPresent(await run(app, key, placing, claim.subjectId === id));
  } catch (error) {
    await releaseClaim(em, key, claim.subjectId).catch(() => {}); // it lapses by itself
    throw error;
  }
}

/** @param isNew whether the key was never claimed before, so that nothing can be placed under it */
async function run(
  app: OrderApp,
  key: IdempotencyKeyRef,
  placing: Placing,
  isNew: boolean,
): Promise<Outcome> {
  const { id, customerId, items, input } = placing;
  const placed = isNew ? [] : await placedLines(app, id);
  if (placed.length > 0) return hold(app, key, id, resumed(placed));

  const [shippingAddress, ordered] = await Promise.all([
    shippingAddressOf(app, customerId, input),
    orderedLines(app, customerId, items, input.expectedTotal),
  ]);
  if ('refusal' in ordered) return settle(app, key, id, ordered.refusal);
  let inCart: boolean;
  try {
    inCart = await app.writes.place({ id, customerId, shippingAddress, lines: ordered.lines });
    failPoint('order inserted');
  } catch (error) {
    if (error instanceof LimitExceeded) {
      return settle(app, key, id, { kind: 'limited', lines: error.lines });
    }
    // Another process with this key placed it meanwhile, at the prices that it read.
    if (!isUniqueViolation(error, 'customer_order_pkey')) throw error;
    return hold(app, key, id, resumed(await placedLines(app, id)));
  }
  return hold(app, key, id, { lines: ordered.lines.map(toHoldLine), isResumed: false, inCart });
}

interface Placing {
  readonly id: string;
  readonly customerId: string;
  /** null for what is in the cart */
  readonly items: CheckoutItemInput[] | null;
  readonly input: CheckoutInput;
}

const toHoldLine = ({ offer, quantity }: OrderLine): HoldLine => {
  return { offerId: offer.id, shopId: offer.shopId, sku: offer.sku, quantity };
};

/** An order that is placed, and whose stock is to be held. */
interface PlacedOrder {
  readonly lines: readonly HoldLine[];
  /** whether somebody else may have asked for it before */
  readonly isResumed: boolean;
  /** whether any of it may stand in the customer's cart */
  readonly inCart: boolean;
}

const resumed = (lines: readonly HoldLine[]): PlacedOrder => {
  return { lines, isResumed: true, inCart: true };
};

interface HoldLine {
  offerId: string;
  shopId: string;
  sku: string;
  quantity: number;
}

/** The lines of an order that a process placed before it died; none for a new one. */
function placedLines(app: OrderApp, orderId: string): Promise<HoldLine[]> {
  return sql<HoldLine>(
    app.orm.em.fork(),
    `select i.offer_id as "offerId", s.shop_id as "shopId", i.sku, i.quantity
     from shop_order s join order_item i on i.shop_order_id = s.id where s.order_id = $1`,
    [orderId],
  );
}

/** Holds the stock of a placed order, and writes down what came of it with the outcome of its key. */
async function hold(
  app: OrderApp,
  key: IdempotencyKeyRef,
  orderId: string,
  { lines, isResumed, inCart }: PlacedOrder,
): Promise<Outcome> {
  const answer = await app.reservations.reserve(orderId, lines.map(toReserveLine), app.holdForMs);
  failPoint('reservation held, order not told');
  switch (answer.state) {
    case 'HELD': {
      const expiresAt = new Date(answer.expiresAt as string);
      const outcome: Outcome = { kind: 'placed', orderId };
      if (!inCart && (await app.writes.hold({ orderId, expiresAt, key, outcome }))) return outcome;
      const settled = await settle(app, key, orderId, outcome, async (em) => {
        if (await setExpiresAt(em, orderId, expiresAt)) {
          await takeFromCart(em, orderId);
          return null;
        }
        // Another process with this key was told of the hold first; or the order ended meanwhile.
        return (await isCancelled(em, orderId)) ? { kind: 'expired', orderId } : null;
      });
      if (settled.kind === 'expired') await giveUpHold(app, orderId);
      return settled;
    }
    case 'SHORT': {
      const short = shortLines(lines, answer.shortages ?? []);
      const outcome: Outcome = { kind: 'short', orderId, lines: short };
      const isOwn = !inCart && !isResumed && !answer.again;
      if (isOwn && (await app.writes.refuse({ orderId, key, outcome }))) return outcome;
      const settled = await settle(app, key, orderId, outcome, async (em) => {
        await endPending(em, orderId, { status: 'CANCELLED', reason: 'OUT_OF_STOCK' });
        // Another process with this key got the stock, and was told so first.
        return (await isCancelled(em, orderId)) ? null : { kind: 'placed', orderId };
      });
      if (settled.kind === 'short' && (isResumed || answer.again)) await giveUpHold(app, orderId);
      return settled;
    }
    case 'COMMITTED':
      return settle(app, key, orderId, { kind: 'placed', orderId });
    default:
      return settle(app, key, orderId, { kind: 'expired', orderId });
  }
}

/**
 * Of an order that is cancelled: what is held of it, or will be by a request that is still on its way.
 * The warehouse alone would give it back when its time is up.
 */
async function giveUpHold({ reservations, logger }: OrderApp, orderId: string): Promise<void> {
  await reservations.release(orderId, 'ABANDONED').catch((error) => {
    logger.warn({ err: error, orderId }, 'the hold of a cancelled order is left to its time');
  });
}

async function isCancelled(em: EntityManager, orderId: string): Promise<boolean> {
  const cancelled = `select 1 from customer_order where id = $1 and status = 'CANCELLED'`;
  return (await sql(em, cancelled, [orderId])).length > 0;
}

const toReserveLine = ({ shopId, sku, quantity }: HoldLine) => ({ shopId, sku, quantity });

/** One commit: the change of the order, if there is one, and the outcome of the key. */
function settle(
  app: OrderApp,
  key: IdempotencyKeyRef,
  subjectId: string,
  outcome: Outcome,
  change: (em: OrderContext['em']) => Promise<Outcome | null> = async () => null,
): Promise<Outcome> {
  return app.orm.em.fork().transactional(async (em) => {
    const settled = (await change(em as OrderContext['em'])) ?? outcome;
    await storeOutcome(em as OrderContext['em'], key, subjectId, settled);
    return settled;
  });
}

function shortLines(lines: readonly HoldLine[], shortages: readonly Shortage[]): ShortFact[] {
  return shortages.flatMap(({ shopId, sku, requested, available }) => {
    const line = lines.find((each) => each.shopId === shopId && each.sku === sku);
    return line ? [{ offerId: line.offerId, requested, available }] : [];
  });
}
