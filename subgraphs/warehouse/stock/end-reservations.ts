import { LockMode } from '@mikro-orm/postgresql';
import { type EntityManager, sql } from '../../shared/database.js';
import { enqueue } from '../../shared/outbox.js';
import type { StockStore } from './engine.js';
import { moveStock, type OpenLedger } from './move-stock.js';
import { Reservation, ReservationLine, type ReservationState } from './reservation.js';

/** Why a hold ended without a sale; it goes to the order subgraph with the event. */
export type EndReason = 'PAYMENT_TIMEOUT' | 'PAYMENT_FAILED' | 'BY_CUSTOMER' | 'ABANDONED';

/** What the order subgraph asks for: a sale to a payment, or the units back on the shelf. */
export type EndRequest =
  | { readonly orderId: string; readonly to: 'COMMITTED'; readonly paymentId: string }
  | { readonly orderId: string; readonly to: 'RELEASED'; readonly reason: EndReason };

/** One transition out of `HELD`. */
export type Ending =
  | EndRequest
  | { readonly orderId: string; readonly to: 'EXPIRED'; readonly reason: EndReason };

/** What a reservation is after all, and which payment has it. */
export interface EndedReservation {
  readonly orderId: string;
  readonly state: ReservationState;
  readonly paymentId: string | null;
}

/** Ends holds as they are asked to, in one commit; of two requests for one order the first counts. */
export async function decideEndings(
  store: StockStore,
  requests: readonly EndRequest[],
): Promise<EndedReservation[]> {
  const orderIds = [...new Set(requests.map(({ orderId }) => orderId))].sort();
  const { reservations, ended } = await moveStock(
    store,
    async (em, openLedger) => {
      await layTombstones(em, orderIds);
      const reservations = await lockReservations(em, orderIds);
      return { reservations, ended: await endHeld(em, openLedger, reservations, requests) };
    },
    () => ({ disarmed: orderIds }),
  );
  for (const { to } of ended) store.metrics.ended.inc({ state: to });
  const byOrder = new Map(reservations.map((reservation) => [reservation.orderId, reservation]));
  return requests.map(({ orderId }) => {
    const { state, paymentId } = byOrder.get(orderId) as Reservation;
    return { orderId, state, paymentId };
  });
}

/**
 * Writes down orders that are not known as `RELEASED`; in order of their ids, so that two calls for
 * the same orders wait for each other instead of deadlocking.
 */
function layTombstones(em: EntityManager, orderIds: readonly string[]) {
  return sql(
    em,
    `insert into reservation (order_id, state, expires_at)
     select id, 'RELEASED', now() from unnest($1::uuid[]) as id order by id
     on conflict do nothing`,
    [orderIds],
  );
}

/** The reservations of these orders, locked by id: the first of the locks. */
export function lockReservations(em: EntityManager, orderIds: readonly string[]) {
  return em.find(
    Reservation,
    { orderId: { $in: [...orderIds] } },
    { orderBy: { orderId: 'asc' }, lockMode: LockMode.PESSIMISTIC_WRITE },
  );
}

/**
 * Ends those of the locked reservations that are `HELD` and leaves the others as they are: the
 * first transition out of `HELD` wins. A sale takes the units out of the warehouse, any other end
 * puts them back on the shelf and tells the order subgraph, in the same commit.
 *
 * @returns the endings that came about
 */
export async function endHeld(
  em: EntityManager,
  openLedger: OpenLedger,
  locked: readonly Reservation[],
  endings: readonly Ending[],
): Promise<Ending[]> {
  const byOrder = new Map(endings.toReversed().map((ending) => [ending.orderId, ending]));
  const held = locked.filter(({ state, orderId }) => state === 'HELD' && byOrder.has(orderId));
  if (held.length === 0) return [];
  const lines = await em.find(ReservationLine, {
    orderId: { $in: held.map(({ orderId }) => orderId) },
  });
  const ledger = await openLedger(await keysOf(em, lines));
  for (const line of lines) {
    const sold = byOrder.get(line.orderId)?.to === 'COMMITTED';
    ledger.move(ledger.level(line.levelId), {
      type: sold ? 'SALE' : 'RELEASE',
      onHandDelta: sold ? -line.quantity : 0,
      reservedDelta: -line.quantity,
      reference: line.orderId,
      actor: 'order',
    });
  }
  for (const reservation of held) {
    const ending = byOrder.get(reservation.orderId) as Ending;
    reservation.state = ending.to;
    if (ending.to === 'COMMITTED') reservation.paymentId = ending.paymentId;
  }
  const ended = held.map(({ orderId }) => byOrder.get(orderId) as Ending);
  await tellOrders(em, ended);
  return ended;
}

/** Which stock the lines are of; a level never moves to another shop or sku, so no lock is needed. */
function keysOf(em: EntityManager, lines: readonly ReservationLine[]) {
  return sql<{ shopId: string; sku: string }>(
    em,
    'select distinct shop_id as "shopId", sku from stock_level where id = any($1::uuid[])',
    [[...new Set(lines.map(({ levelId }) => levelId))]],
  );
}

function tellOrders(em: EntityManager, ended: readonly Ending[]) {
  const messages = ended.flatMap((ending) => {
    if (ending.to === 'COMMITTED') return [];
    const { orderId, to: state, reason } = ending;
    const payload = { orderId, state, reason };
    // A reservation ends once, so its only event is its first.
    return [{ consumer: 'order', topic: 'reservationEnded', key: orderId, version: 1, payload }];
  });
  return enqueue(em, messages);
}
