import type { EntityManager } from '@mikro-orm/postgresql';
import { event } from '../../contracts/events.js';
import type {
  CommitRequest,
  EndReason,
  ReleaseRequest,
  ReservationState,
} from '../../contracts/reservation.js';
import { sql } from '../../shared/database/sql.js';
import { enqueue } from '../../shared/messaging/outbox.js';
import { lockReservations } from '../locks.js';
import { moveStock, type OpenLedger } from '../stock/move-stock.js';
import { ConcurrentChange } from '../stock/stock-errors.js';
import type { StockStore } from '../stock/stock-store.js';
import { readReservationLines } from './reservation-lines.js';

/** A request of the order subgraph: sell the units to a payment, or make them available again. */
export type EndRequest =
  | (CommitRequest & { readonly to: 'COMMITTED' })
  | (ReleaseRequest & { readonly to: 'RELEASED' });

/** One transition out of `HELD`. */
export type Ending =
  | EndRequest
  | { readonly orderId: string; readonly to: 'EXPIRED'; readonly reason: EndReason };

/** The state of a reservation, and the payment that it was sold to. */
export interface ReservationStatus {
  readonly orderId: string;
  readonly state: ReservationState;
  readonly paymentId: string | null;
}

/** Ends reservations in one transaction; of two requests for one order the first counts. */
export async function decideEndings(
  store: StockStore,
  requests: readonly EndRequest[],
): Promise<ReservationStatus[]> {
  const orderIds = [...new Set(requests.map(({ orderId }) => orderId))];
  const { after, ended } = await moveStock(
    store,
    async (em, openLedger, setTransactionId) => {
      const locked = await lockReservations(em, orderIds);
      setTransactionId(locked[0]?.transactionId);
      const ended = await endHeld(em, openLedger, locked, requests);
      const after = new Map(
        locked.map(({ orderId, state, paymentId }) => [orderId, { orderId, state, paymentId }]),
      );
      for (const ending of ended) after.set(ending.orderId, statusAfter(ending));
      const unknown = orderIds.filter((orderId) => !after.has(orderId));
      for (const tombstone of await insertTombstones(em, unknown)) {
        after.set(tombstone.orderId, tombstone);
      }
      return { after, ended };
    },
    () => ({ disarmed: orderIds }),
    1,
  );
  for (const { to } of ended) store.metrics.ended.inc({ state: to });
  return requests.map(({ orderId }) => after.get(orderId) as ReservationStatus);
}

const statusAfter = (ending: Ending): ReservationStatus => ({
  orderId: ending.orderId,
  state: ending.to,
  paymentId: ending.to === 'COMMITTED' ? ending.paymentId : null,
});

/**
 * Inserts `RELEASED` reservations for unknown orders. Last in the transaction and by order id, as
 * reservations are inserted, so that two transactions do not deadlock.
 */
async function insertTombstones(
  em: EntityManager,
  orderIds: readonly string[],
): Promise<ReservationStatus[]> {
  if (orderIds.length === 0) return [];
  const inserted = await sql<ReservationStatus>(
    em,
    `insert into reservation (order_id, state, expires_at)
     select id, 'RELEASED', now() from unnest($1::uuid[]) as id order by id
     on conflict do nothing
     returning order_id as "orderId", state, payment_id as "paymentId"`,
    [orderIds],
  );
  if (inserted.length < orderIds.length) throw new ConcurrentChange();
  return inserted;
}

/**
 * Ends those of the locked reservations that are `HELD`: the first transition out of `HELD` wins. A
 * sale removes the units from the warehouse. Any other end makes them available again, with an
 * event for the order subgraph in the same commit.
 *
 * @returns the endings that happened
 */
export async function endHeld(
  em: EntityManager,
  openLedger: OpenLedger,
  locked: readonly ReservationStatus[],
  endings: readonly Ending[],
): Promise<Ending[]> {
  const byOrder = new Map(endings.toReversed().map((ending) => [ending.orderId, ending]));
  const ended = locked
    .filter(({ state }) => state === 'HELD')
    .flatMap(({ orderId }) => byOrder.get(orderId) ?? []);
  if (ended.length === 0) return [];
  const lines = await readReservationLines(
    em,
    ended.map(({ orderId }) => orderId),
  );
  const ledger = await openLedger(lines);
  for (const { orderId, levelId, quantity } of lines) {
    const isSale = byOrder.get(orderId)?.to === 'COMMITTED';
    ledger.move(ledger.level(levelId), {
      type: isSale ? 'SALE' : 'RELEASE',
      onHandDelta: isSale ? -quantity : 0,
      reservedDelta: -quantity,
      reference: orderId,
      actor: 'order',
    });
  }
  await writeStates(em, ended.map(statusAfter));
  await enqueueReservationEnded(em, ended);
  return ended;
}

function writeStates(em: EntityManager, ended: readonly ReservationStatus[]) {
  return sql(
    em,
    `update reservation r set state = e.state, payment_id = e.payment_id, updated_at = now()
     from unnest($1::uuid[], $2::text[], $3::uuid[]) as e (order_id, state, payment_id)
     where r.order_id = e.order_id`,
    [
      ended.map(({ orderId }) => orderId),
      ended.map(({ state }) => state),
      ended.map(({ paymentId }) => paymentId),
    ],
  );
}

function enqueueReservationEnded(em: EntityManager, ended: readonly Ending[]) {
  const messages = ended.flatMap((ending) => {
    if (ending.to === 'COMMITTED') return [];
    const { orderId, to: state, reason } = ending;
    const actor = ending.to === 'RELEASED' ? ending.actor : undefined;
    return [
      event('warehouse.reservation.ended', { orderId, state, reason, ...(actor && { actor }) }),
    ];
  });
  return enqueue(em, messages);
}
