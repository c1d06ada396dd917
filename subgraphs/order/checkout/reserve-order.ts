import type { EntityManager } from '@mikro-orm/postgresql';
import type { Shortage } from '../../contracts/reservation.js';
import { sql } from '../../shared/database/sql.js';
import { tryAgain } from '../../shared/errors.js';
import { failPoint } from '../../shared/resilience/fail-point.js';
import { takeFromCart } from '../cart/take-from-cart.js';
import type { OrderStatus } from '../order/status.js';
import { endPending, recordHeld } from '../order/transitions/end-pending.js';
import type { RowKey } from '../row-key.js';
import type { DecidedReservation, ReserveAnswer } from '../warehouse-client/reservations.js';
import { freeKey } from './abandon-orders.js';
import { commitOutcome } from './commit-outcome.js';
import type { CheckoutAttempt, PlacedLine, PlacedOrder } from './find-or-place-order.js';
import type { Outcome } from './outcome.js';
import { isStopped } from './sale-window.js';
import { type ShortLine, toShortOutcome } from './short-outcome.js';

/**
 * Reserves the stock of a placed order, and records the result with the outcome of its key. For an order whose sale
 * was paused or cancelled since it was placed, only what is reserved already is kept, also after the end of the sale.
 *
 * @throws `TRY_AGAIN` for an order that ended before it was recorded that its stock is held: the key is
 *   free for another order
 */
export async function reserveOrder(attempt: CheckoutAttempt, order: PlacedOrder): Promise<Outcome> {
  const { app, orderId } = attempt;
  const saleIds = order.lines.flatMap(({ saleId }) => saleId ?? []);
  const mayBeStopped = order.origin === 'resumed' && saleIds.length > 0;
  const answer =
    mayBeStopped && (await isStopped(app, saleIds))
      ? await keepReserved(attempt)
      : await reserve(attempt, order);
  failPoint('stock reserved, not recorded');
  switch (answer.state) {
    case 'HELD':
      return recordReserved(attempt, order, new Date(answer.expiresAt as string));
    case 'SHORT':
      return recordShort(attempt, order, answer);
    case 'COMMITTED': // an earlier attempt was paid
      return commitOutcome(attempt, async () => ({ kind: 'placed', orderId }));
    default: // an earlier attempt was cancelled, or expired
      return recordEnded(attempt);
  }
}

function reserve({ app, orderId }: CheckoutAttempt, order: PlacedOrder): Promise<ReserveAnswer> {
  const lines = order.lines.map(({ shopId, sku, quantity, saleId }) => {
    return { shopId, sku, quantity, ...(saleId && { saleId }) };
  });
  return app.reservations.reserve(orderId, lines, order.reserveForMs ?? app.reserveForMs);
}

/** Extends nothing: the reservation is only read, behind its lock. */
const noExtensionMs = 1;

/** What is reserved for an order. If nothing is, nothing will be, also by a request that is still under way. */
async function keepReserved({ app, orderId }: CheckoutAttempt): Promise<DecidedReservation> {
  const kept = await app.reservations.extend(orderId, noExtensionMs);
  if (kept.state === 'HELD' || kept.state === 'COMMITTED') return kept;
  return app.reservations.release(orderId, 'ABANDONED');
}

/** Records the reservation. Releases it if the order ended meanwhile. */
async function recordReserved(
  attempt: CheckoutAttempt,
  { origin }: PlacedOrder,
  expiresAt: Date,
): Promise<Outcome> {
  const { app, key, orderId } = attempt;
  const order = keyOf(attempt);
  const placed: Outcome = { kind: 'placed', orderId };
  if (origin === 'new') {
    const reserved = { order, expiresAt, key, outcome: placed };
    if (await app.writes.markReserved(reserved)) return placed;
  }
  const stored = await commitOutcome<Outcome | null>(attempt, async (em) => {
    if (await recordHeld(em, order, expiresAt)) {
      await takeFromCart(em, order);
      return placed;
    }
    // Another process with this key recorded it first; or the order ended meanwhile.
    return (await readState(em, order)).status === 'CANCELLED' ? null : placed;
  });
  if (stored) return stored;
  await releaseQuietly(attempt);
  return recordEnded(attempt);
}

/**
 * Cancels the order as out of stock. Where another request for its reservation may be under way,
 * releases that.
 */
async function recordShort(
  attempt: CheckoutAttempt,
  { lines, origin }: PlacedOrder,
  answer: Partial<ReserveAnswer>,
): Promise<Outcome> {
  const { app, key, orderId } = attempt;
  const order = keyOf(attempt);
  const shortages = answer.shortages ?? [];
  app.shortSkus.add(shortages);
  const short = toShortOutcome(toShortLines(lines, shortages));
  const mayBeReserved = origin === 'resumed' || answer.isRepeated;
  if (origin === 'new' && !mayBeReserved) {
    if (await app.writes.cancelOutOfStock({ order, key, outcome: short })) return short;
  }
  const stored = await commitOutcome<Outcome>(attempt, async (em) => {
    const outOfStock = { to: 'CANCELLED', reason: 'OUT_OF_STOCK' } as const;
    await endPending(em, order, { ...outOfStock, unlessHeld: true });
    // Another process with this key got the stock, and recorded it first.
    const { status } = await readState(em, order);
    return status === 'CANCELLED' ? short : { kind: 'placed', orderId };
  });
  if (stored.kind !== 'placed' && mayBeReserved) await releaseQuietly(attempt);
  return stored;
}

/**
 * Records that the reservation has ended. If it was never recorded that the stock is held, there is no
 * order to show: the order is cancelled, and its key becomes free.
 *
 * @throws `TRY_AGAIN` in that case
 */
async function recordEnded(attempt: CheckoutAttempt): Promise<Outcome> {
  const { orderId } = attempt;
  const order = keyOf(attempt);
  const stored = await commitOutcome<Outcome | null>(attempt, async (em) => {
    await endPending(em, order, { to: 'CANCELLED', reason: 'ABANDONED', unlessHeld: true });
    if ((await readState(em, order)).isHeld) return { kind: 'expired', orderId };
    await freeKey(em, order);
    return null;
  });
  if (stored) return stored;
  throw tryAgain('The checkout was interrupted. Please retry with the same key.');
}

/**
 * Releases what is reserved for a cancelled order, or will be by a request that is still under way.
 * If this fails, the warehouse subgraph releases it at its expiry.
 */
async function releaseQuietly({ app, orderId }: CheckoutAttempt): Promise<void> {
  await app.reservations.release(orderId, 'ABANDONED').catch((error) => {
    app.logger.warn({ err: error, orderId }, 'could not release the reservation; it will expire');
  });
}

const keyOf = ({ customerId, orderId: id }: CheckoutAttempt): RowKey => ({ customerId, id });

interface OrderState {
  readonly status: OrderStatus;
  readonly isHeld: boolean;
}

async function readState(em: EntityManager, { customerId, id }: RowKey): Promise<OrderState> {
  const query = `select status, number is not null as "isHeld" from customer_order
    where customer_id = $1 and id = $2`;
  return (await sql<OrderState>(em, query, [customerId, id]))[0] as OrderState;
}

function toShortLines(lines: readonly PlacedLine[], shortages: readonly Shortage[]): ShortLine[] {
  return shortages.flatMap(({ shopId, sku, saleId = null, ...shortage }) => {
    const line = lines.find(
      (each) => each.shopId === shopId && each.sku === sku && each.saleId === saleId,
    );
    return line ? [{ offerId: line.offerId, saleId, ...shortage }] : [];
  });
}
