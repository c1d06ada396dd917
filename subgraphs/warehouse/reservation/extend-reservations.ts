import type { EntityManager } from '@mikro-orm/postgresql';
import type { ExtendRequest, ReservationAnswer } from '../../contracts/reservation.js';
import { sql } from '../../shared/database/sql.js';
import { lockReservations } from '../locks.js';
import { moveStock } from '../stock/move-stock.js';
import type { StockStore } from '../stock/stock-store.js';

/** The state of a reservation; of one that is `HELD`, when it expires now. */
export type ExtendOutcome = ReservationAnswer<Date>;

interface Extended {
  readonly orderId: string;
  readonly expiresAt: Date;
}

/**
 * Lets reservations expire later: those that are `HELD`, and not due by PostgreSQL’s clock. It moves no units.
 *
 * @returns the states after; `EXPIRED` for one that is due, and `RELEASED` for an order without one
 */
export async function extendReservations(
  store: StockStore,
  requests: readonly ExtendRequest[],
): Promise<ExtendOutcome[]> {
  const orderIds = [...new Set(requests.map(({ orderId }) => orderId))];
  const { after } = await moveStock(
    store,
    async (em, _openLedger, setTransactionId) => {
      const locked = await lockReservations(em, orderIds);
      setTransactionId(locked[0]?.transactionId);
      const extended = await extendHeld(em, requests);
      const after = new Map<string, ExtendOutcome>();
      for (const { orderId, state, paymentId } of locked) {
        after.set(orderId, { orderId, state: state === 'HELD' ? 'EXPIRED' : state, paymentId });
      }
      for (const { orderId, expiresAt } of extended) {
        after.set(orderId, { orderId, state: 'HELD', expiresAt });
      }
      return { after, extended };
    },
    {
      signalsOf: ({ extended }) => ({ armed: extended }),
      lockTimeoutsMax: 1,
      isStored: (em, { extended }) => areStored(em, extended),
    },
  );
  return requests.map(
    ({ orderId }) => after.get(orderId) ?? { orderId, state: 'RELEASED' as const },
  );
}

/** A statement after that of the locks, so that its clock is read behind them. By the primary key. */
async function extendHeld(
  em: EntityManager,
  requests: readonly ExtendRequest[],
): Promise<Extended[]> {
  const rows = await sql<{ orderId: string; expiresAt: string }>(
    em,
    `update reservation r
     set expires_at = greatest(expires_at, created_at + e.ms * interval '1 ms'), updated_at = now()
     from (select order_id, max(ms) as ms from unnest($1::uuid[], $2::bigint[])
             as each (order_id, ms) group by order_id) e
     where r.order_id = e.order_id and r.state = 'HELD' and r.expires_at > clock_timestamp()
     returning r.order_id as "orderId", r.expires_at as "expiresAt"`,
    [requests.map(({ orderId }) => orderId), requests.map(({ reserveForMs }) => reserveForMs)],
  );
  return rows.map(({ orderId, expiresAt }) => ({ orderId, expiresAt: new Date(expiresAt) }));
}

/** Whatever became of them since, they keep the time. */
async function areStored(em: EntityManager, extended: readonly Extended[]): Promise<boolean> {
  const rows = await sql(
    em,
    `select from reservation r join unnest($1::uuid[], $2::timestamptz[]) as e (order_id, expires_at)
       on e.order_id = r.order_id where r.expires_at >= e.expires_at`,
    [extended.map(({ orderId }) => orderId), extended.map(({ expiresAt }) => expiresAt)],
  );
  return rows.length === extended.length;
}
