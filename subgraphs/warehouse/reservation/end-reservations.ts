import type { EntityManager } from '@mikro-orm/postgresql';
import { event } from '../../contracts/events.js';
import type {
  CommitRequest,
  EndReason,
  ReleaseRequest,
  ReservationState,
} from '../../contracts/reservation.js';
import { noSale } from '../../contracts/sale.js';
import { assert } from '../../shared/assert.js';
import { sql } from '../../shared/database/sql.js';
import { enqueue } from '../../shared/messaging/outbox.js';
import { lockReservations } from '../locks.js';
import type { Ledger } from '../stock/ledger.js';
import { moveStock, type OpenLedger } from '../stock/move-stock.js';
import { ConcurrentChange } from '../stock/stock-errors.js';
import type { StockStore } from '../stock/stock-store.js';
import { mayBePruned } from './may-be-pruned.js';
import {
  type ReservationShops,
  type ReservedUnits,
  readReservationLines,
} from './reservation-lines.js';

/** A request of the order subgraph: commit the units to a payment, or make them available again. */
export type EndRequest =
  | (CommitRequest & { readonly to: 'COMMITTED' })
  | (ReleaseRequest & { readonly to: 'RELEASED' });

/** One transition out of `HELD`. */
export type Ending =
  | EndRequest
  | {
      readonly orderId: string;
      readonly to: 'EXPIRED' | 'RELEASED';
      readonly reason: EndReason;
      readonly actor?: null;
    };

/** The state of a reservation, and the payment that it is committed to. */
export interface ReservationStatus {
  readonly orderId: string;
  readonly state: ReservationState;
  readonly paymentId: string | null;
  /** if it was to be committed, and units were missing */
  readonly reason?: 'OUT_OF_STOCK';
}

type LockedStatus = ReservationShops & Pick<ReservationStatus, 'state'>;

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
        locked.map(({ orderId, state, paymentId, endReason }) => {
          return [orderId, statusOf(orderId, state, paymentId, endReason)];
        }),
      );
      for (const ending of ended) after.set(ending.orderId, statusAfter(ending));
      for (const orderId of orderIds.filter(mayBePruned)) {
        if (!after.has(orderId)) after.set(orderId, statusOf(orderId, 'RELEASED', null, null));
      }
      const unknown = orderIds.filter((orderId) => !after.has(orderId));
      for (const tombstone of await insertTombstones(em, unknown)) {
        after.set(tombstone.orderId, tombstone);
      }
      return { after, ended, unknown };
    },
    {
      signalsOf: () => ({ disarmed: orderIds }),
      lockTimeoutsMax: 1,
      isStored: async (em, { unknown }) => hasReservation(em, unknown[0]),
    },
  );
  for (const { to } of ended) store.metrics.ended.inc({ state: to });
  return requests.map(({ orderId }) => after.get(orderId) as ReservationStatus);
}

const statusAfter = (ending: Ending): ReservationStatus =>
  ending.to === 'COMMITTED'
    ? statusOf(ending.orderId, ending.to, ending.paymentId, null)
    : statusOf(ending.orderId, ending.to, null, ending.reason);

function statusOf(
  orderId: string,
  state: ReservationState,
  paymentId: string | null,
  endReason: EndReason | null,
): ReservationStatus {
  const isShort = endReason === 'OUT_OF_STOCK';
  return { orderId, state, paymentId, ...(isShort && { reason: 'OUT_OF_STOCK' }) };
}

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
    `insert into reservation (order_id, state, expires_at, done_at)
     select id, 'RELEASED', now(), now() from unnest($1::uuid[]) as id order by id
     on conflict do nothing
     returning order_id as "orderId", state, payment_id as "paymentId"`,
    [orderIds],
  );
  if (inserted.length < orderIds.length) throw new ConcurrentChange();
  return inserted;
}

async function hasReservation(em: EntityManager, orderId: string | undefined): Promise<boolean> {
  const stored = 'select from reservation where order_id = $1';
  return orderId !== undefined && (await sql(em, stored, [orderId])).length > 0;
}

/**
 * Ends those of the locked reservations that are `HELD`: the first transition out of `HELD` wins. A
 * commit keeps the units in the warehouse until they are shipped; units that a count has shown to be
 * missing are never committed, so it releases the reservation as `OUT_OF_STOCK`. Any other end makes
 * the units available again, with an event for the order subgraph in the same commit.
 *
 * @returns the endings that happened
 */
export async function endHeld(
  em: EntityManager,
  openLedger: OpenLedger,
  locked: readonly LockedStatus[],
  endings: readonly Ending[],
): Promise<Ending[]> {
  const byOrder = new Map(endings.toReversed().map((ending) => [ending.orderId, ending]));
  const held = locked.filter(({ orderId, state }) => state === 'HELD' && byOrder.has(orderId));
  if (held.length === 0) return [];
  const requested = held.map(({ orderId }) => byOrder.get(orderId) as Ending);
  const lines = await readReservationLines(em, held);
  const ledger = await openLedger(lines, { levels: lines });
  const byReservation = Map.groupBy(lines, ({ orderId }) => orderId);
  for (const { orderId, shopIds } of held) {
    const shops = new Set(byReservation.get(orderId)?.map(({ shopId }) => shopId));
    const haveLines = shopIds.length > 0 && shopIds.every((shopId) => shops.has(shopId));
    assert(haveLines, 'a HELD reservation has a line of each of its shops', orderId);
  }
  const ended = requested.map((ending) => {
    return endOne(ledger, ending, byReservation.get(ending.orderId) ?? []);
  });
  await writeStates(em, ended);
  await enqueueReservationEnded(em, ended);
  return ended;
}

/** @returns the ending that happened: a commit of units that are missing is a release */
function endOne(ledger: Ledger, requested: Ending, lines: readonly ReservedUnits[]): Ending {
  const { orderId } = requested;
  const isShort = requested.to === 'COMMITTED' && !areThere(ledger, lines);
  const ending: Ending = isShort ? { orderId, to: 'RELEASED', reason: 'OUT_OF_STOCK' } : requested;
  const isCommit = ending.to === 'COMMITTED';
  for (const line of lines.filter(({ saleId }) => saleId !== noSale)) {
    const { quantity } = line;
    ledger.items.moveSale(line, { held: -quantity, sold: isCommit ? quantity : 0 });
  }
  for (const [levelId, quantity] of unitsByLevel(lines)) {
    ledger.move(ledger.level(levelId), {
      type: isCommit ? 'COMMIT' : 'RELEASE',
      reservedDelta: -quantity,
      committedDelta: isCommit ? quantity : 0,
      reference: orderId,
      actor: 'order',
    });
  }
  return ending;
}

/** An order may have regular units and units of a sale on one level. */
function unitsByLevel(lines: readonly ReservedUnits[]): Map<string, number> {
  const units = new Map<string, number>();
  for (const { levelId, quantity } of lines) {
    units.set(levelId, quantity + (units.get(levelId) ?? 0));
  }
  return units;
}

/** Whether all units of a reservation are in the warehouse, beside those that are committed. */
const areThere = (ledger: Ledger, lines: readonly ReservedUnits[]) =>
  [...unitsByLevel(lines)].every(([levelId, quantity]) => {
    const { onHand, committed, unavailable } = ledger.level(levelId);
    return committed + quantity <= onHand - unavailable;
  });

function writeStates(em: EntityManager, ended: readonly Ending[]) {
  return sql(
    em,
    `update reservation r
     set state = e.state, payment_id = e.payment_id, end_reason = e.end_reason, updated_at = now(),
       done_at = case when e.state <> 'COMMITTED' then now() end
     from unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[])
       as e (order_id, state, payment_id, end_reason)
     where r.order_id = e.order_id`,
    [
      ended.map(({ orderId }) => orderId),
      ended.map(({ to }) => to),
      ended.map((ending) => (ending.to === 'COMMITTED' ? ending.paymentId : null)),
      ended.map((ending) => (ending.to === 'COMMITTED' ? null : ending.reason)),
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
