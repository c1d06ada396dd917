import { LockMode } from '@mikro-orm/postgresql';
import { type EntityManager, sql } from '../../shared/database.js';
import { enqueue } from '../../shared/outbox.js';
import type { OpenLedger } from './ledger.js';
import { Reservation, ReservationLine, type ReservationState } from './reservation.js';

/** Why a hold ended without a sale; it goes to the order subgraph with the event. */
export type EndReason = 'PAYMENT_TIMEOUT' | 'PAYMENT_FAILED' | 'BY_CUSTOMER' | 'ABANDONED';

/** One transition out of `HELD`. */
export type Ending =
  | { readonly orderId: string; readonly to: 'COMMITTED'; readonly paymentId: string }
  | { readonly orderId: string; readonly to: 'RELEASED' | 'EXPIRED'; readonly reason: EndReason };

/** What a reservation is after all, and which payment has it. */
export interface EndedReservation {
  readonly orderId: string;
  readonly state: ReservationState;
  readonly paymentId: string | null;
}

/**
 * Writes down orders that are not known as `RELEASED`; in order of their ids, so that two calls for
 * the same orders wait for each other instead of deadlocking.
 */
export function layTombstones(em: EntityManager, orderIds: readonly string[]) {
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
 */
export async function endHeld(
  em: EntityManager,
  openLedger: OpenLedger,
  locked: readonly Reservation[],
  endings: readonly Ending[],
): Promise<void> {
  const byOrder = new Map(endings.map((ending) => [ending.orderId, ending]));
  const held = locked.filter(({ state, orderId }) => state === 'HELD' && byOrder.has(orderId));
  if (held.length === 0) return;
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
      reason: null,
      actor: 'order',
    });
  }
  for (const reservation of held) {
    const ending = byOrder.get(reservation.orderId) as Ending;
    reservation.state = ending.to;
    if (ending.to === 'COMMITTED') reservation.paymentId = ending.paymentId;
  }
  await tellOrders(em, held, byOrder);
}

/** Which stock the lines are of; a level never moves to another shop or sku, so no lock is needed. */
function keysOf(em: EntityManager, lines: readonly ReservationLine[]) {
  return sql<{ shopId: string; sku: string }>(
    em,
    'select distinct shop_id as "shopId", sku from stock_level where id = any($1::uuid[])',
    [[...new Set(lines.map(({ levelId }) => levelId))]],
  );
}

function tellOrders(em: EntityManager, ended: Reservation[], byOrder: Map<string, Ending>) {
  const messages = ended.flatMap(({ orderId }) => {
    const ending = byOrder.get(orderId) as Ending;
    if (ending.to === 'COMMITTED') return [];
    const payload = { orderId, state: ending.to, reason: ending.reason };
    // A reservation ends once, so its only event is its first.
    return [{ consumer: 'order', topic: 'reservationEnded', key: orderId, version: 1, payload }];
  });
  return enqueue(em, messages);
}
