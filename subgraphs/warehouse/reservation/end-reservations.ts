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
import { readLines } from './reservation-lines.js';

/** What the order subgraph asks for: a sale to a payment, or the units back on the shelf. */
export type EndRequest =
  | (CommitRequest & { readonly to: 'COMMITTED' })
  | (ReleaseRequest & { readonly to: 'RELEASED' });

/** One transition out of `HELD`. */
export type Ending =
  | EndRequest
  | { readonly orderId: string; readonly to: 'EXPIRED'; readonly reason: EndReason };

/** What a reservation is, and which payment has it. */
export interface ReservationStatus {
  readonly orderId: string;
  readonly state: ReservationState;
  readonly paymentId: string | null;
}

/** Ends holds as they are asked to, in one commit; of two requests for one order the first counts. */
export async function decideEndings(
  store: StockStore,
  requests: readonly EndRequest[],
): Promise<ReservationStatus[]> {
  const orderIds = [...new Set(requests.map(({ orderId }) => orderId))];
  const { after, ended } = await moveStock(
    store,
    async (em, openLedger, noteId) => {
      const locked = await lockReservations(em, orderIds);
      noteId(locked[0]?.transactionId);
      const ended = await endHeld(em, openLedger, locked, requests);
      const after = new Map(
        locked.map(({ orderId, state, paymentId }) => [orderId, { orderId, state, paymentId }]),
      );
      for (const ending of ended) after.set(ending.orderId, endedBy(ending));
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

const endedBy = (ending: Ending): ReservationStatus => ({
  orderId: ending.orderId,
  state: ending.to,
  paymentId: ending.to === 'COMMITTED' ? ending.paymentId : null,
});

/**
 * Writes down orders that are not known as `RELEASED`. The last thing of a transaction, in order of
 * the ids, as reservations are inserted: so none waits for another's row while it holds what that
 * one needs.
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
 * Ends those of the locked reservations that are `HELD` and leaves the others as they are: the
 * first transition out of `HELD` wins. A sale takes the units out of the warehouse, any other end
 * puts them back on the shelf and tells the order subgraph, in the same commit.
 *
 * @returns the endings that came about
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
  const lines = await readLines(
    em,
    ended.map(({ orderId }) => orderId),
  );
  const ledger = await openLedger(lines);
  for (const { orderId, levelId, quantity } of lines) {
    const sold = byOrder.get(orderId)?.to === 'COMMITTED';
    ledger.move(ledger.level(levelId), {
      type: sold ? 'SALE' : 'RELEASE',
      onHandDelta: sold ? -quantity : 0,
      reservedDelta: -quantity,
      reference: orderId,
      actor: 'order',
    });
  }
  await writeStates(em, ended.map(endedBy));
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
