import type { RequiredEntityData } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import type {
  ReservationState,
  ReserveLine,
  ReserveRequest,
  Shortage,
} from '../../contracts/reservation.js';
import { type StockKey, stockKeyOf } from '../../contracts/stock-key.js';
import { sql } from '../../shared/database/sql.js';
import type { Ledger } from '../stock/ledger.js';
import { availableUnits } from '../stock/level-units.js';
import { moveStock, type SetTransactionId } from '../stock/move-stock.js';
import type { StockStore } from '../stock/stock-store.js';
import { type Allocation, allocate, type Demand } from './allocate.js';
import { mayBePruned } from './may-be-pruned.js';
import { Reservation, ReservationLine } from './reservation.js';

/** The reservation of the order, new or existing; or the lines that there are too few units for. */
export type ReserveOutcome = { readonly orderId: string } & (
  | { readonly state: 'HELD'; readonly expiresAt: Date }
  | { readonly state: 'SHORT'; readonly shortages: Shortage[] }
  | { readonly state: Exclude<ReservationState, 'HELD'> }
);

/** Decides reservations in their order, in one transaction. */
export async function decideReservations(
  store: StockStore,
  requests: readonly ReserveRequest[],
): Promise<ReserveOutcome[]> {
  const outcomes = await moveStock(
    store,
    async (em, openLedger, setTransactionId) => {
      const demands = sumByKey(requests.flatMap(({ lines }) => lines));
      const ledger = await openLedger(demands, { demands });
      // Read after the row locks: the transaction that held them before may have reserved for one
      // of these orders.
      const { now, known } = await readKnown(em, requests, setTransactionId);
      const rows: ReservationRows = { reservations: [], lines: [] };
      const decided = requests.map((request) => {
        const outcome =
          known.get(request.orderId) ??
          (mayBePruned(request.orderId)
            ? { orderId: request.orderId, state: 'RELEASED' as const }
            : decide(ledger, request, now, rows));
        if (outcome.state !== 'SHORT') known.set(request.orderId, outcome);
        return outcome;
      });
      // By order id, as tombstones are inserted: two transactions that insert the same orders do
      // not deadlock.
      rows.reservations.sort((a, b) => (a.orderId < b.orderId ? -1 : 1));
      ledger.append(Reservation, rows.reservations);
      ledger.append(ReservationLine, rows.lines);
      return decided;
    },
    {
      signalsOf: (decided) => ({ armed: decided.filter((outcome) => outcome.state === 'HELD') }),
      lockTimeoutsMax: 1,
    },
  );
  for (const { state } of outcomes) store.metrics.reservations.inc({ state });
  return outcomes;
}

interface ReservationRows {
  readonly reservations: RequiredEntityData<Reservation>[];
  readonly lines: RequiredEntityData<ReservationLine>[];
}

/**
 * The reservations that these orders have, and the time by PostgreSQL’s clock, which decides
 * expiry.
 */
async function readKnown(
  em: EntityManager,
  requests: readonly ReserveRequest[],
  setTransactionId: SetTransactionId,
) {
  const rows = await sql<{
    now: string;
    transactionId: string;
    orderId: string | null;
    state: ReservationState;
    expiresAt: string;
  }>(
    em,
    `select clock_timestamp() as now, pg_current_xact_id()::text as "transactionId",
       order_id as "orderId", state, expires_at as "expiresAt"
     from (select 1) as one left join reservation on order_id = any($1::uuid[])`,
    [requests.map(({ orderId }) => orderId)],
  );
  setTransactionId(rows[0]?.transactionId);
  const known = new Map<string, ReserveOutcome>();
  for (const { orderId, state, expiresAt } of rows) {
    if (orderId) known.set(orderId, { orderId, state, expiresAt: new Date(expiresAt) });
  }
  return { now: new Date(rows[0]?.now as string), known };
}

function decide(
  ledger: Ledger,
  { orderId, lines, reserveForMs }: ReserveRequest,
  now: Date,
  rows: ReservationRows,
): ReserveOutcome {
  const demands = sumByKey(lines);
  const shortages = demands
    .map(({ quantity, ...key }) => ({
      ...key,
      requested: quantity,
      available: ledger.available(key),
    }))
    .filter(({ requested, available }) => requested > available);
  if (shortages.length > 0) return { orderId, state: 'SHORT', shortages };

  const expiresAt = new Date(now.getTime() + reserveForMs);
  const stamps = { createdAt: now, updatedAt: now };
  const shopIds = [...new Set(demands.map(({ shopId }) => shopId))].sort();
  rows.reservations.push({ orderId, shopIds, state: 'HELD', expiresAt, ...stamps });
  for (const { levelId, quantity } of allocateAll(ledger, demands)) {
    const level = ledger.level(levelId);
    rows.lines.push({ orderId, shopId: level.shopId, levelId, quantity, createdAt: now });
    ledger.move(level, {
      type: 'RESERVATION',
      reservedDelta: quantity,
      reference: orderId,
      actor: 'order',
    });
  }
  return { orderId, state: 'HELD', expiresAt };
}

/** Adds up lines of the same sku and shop. */
function sumByKey(lines: readonly ReserveLine[]): ReserveLine[] {
  const sums = new Map<string, ReserveLine>();
  for (const { shopId, sku, quantity } of lines) {
    const key = stockKeyOf({ shopId, sku });
    sums.set(key, { shopId, sku, quantity: quantity + (sums.get(key)?.quantity ?? 0) });
  }
  return [...sums.values()];
}

function allocateAll(ledger: Ledger, demands: readonly (Demand & StockKey)[]): Allocation[] {
  const byShop = Map.groupBy(demands, ({ shopId }) => shopId);
  return [...byShop.values()].flatMap((ofShop) => {
    const levels = ofShop.flatMap((demand) =>
      ledger.sellableLevels(demand).map((level) => {
        const { id: levelId, warehouseId, sku } = level;
        return { levelId, warehouseId, sku, available: availableUnits(level) };
      }),
    );
    return allocate(ofShop, levels);
  });
}
