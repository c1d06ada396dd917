import type { RequiredEntityData } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import type {
  ReservationState,
  ReserveLine,
  ReserveRequest,
  Shortage,
} from '../../contracts/reservation.js';
import { noSale, type SaleKey } from '../../contracts/sale.js';
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
      const needed = requests.flatMap(({ lines }) => demandsOf(lines));
      const demands = sumByKey(needed, stockKeyOf);
      const ledger = await openLedger(demands, { demands, sales: needed.filter(isOfSale) });
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
      isStored: null,
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
  const demands = demandsOf(lines);
  const shortages = shortagesOf(ledger, demands);
  if (shortages.length > 0) return { orderId, state: 'SHORT', shortages };

  const expiresAt = new Date(now.getTime() + reserveForMs);
  const stamps = { createdAt: now, updatedAt: now };
  const shopIds = [...new Set(demands.map(({ shopId }) => shopId))].sort();
  rows.reservations.push({ orderId, shopIds, state: 'HELD', expiresAt, ...stamps });
  const allocations = allocateAll(ledger, sumByKey(demands, stockKeyOf));
  const lineParts = splitBySale(ledger, allocations, demands);
  rows.lines.push(...lineParts.map((part) => ({ orderId, ...part, createdAt: now })));
  for (const demand of demands.filter(isOfSale)) {
    ledger.items.moveSale(demand, { held: demand.quantity });
  }
  for (const { levelId, quantity } of allocations) {
    ledger.move(ledger.level(levelId), {
      type: 'RESERVATION',
      reservedDelta: quantity,
      reference: orderId,
      actor: 'order',
    });
  }
  return { orderId, state: 'HELD', expiresAt };
}

/** Units of a key that are needed from a sale, or regular ones. */
type SaleDemand = SaleKey & { quantity: number };

const isOfSale = ({ saleId }: SaleDemand) => saleId !== noSale;

/** What lines need of each key: from sales first, as these decide how many regular units are left. */
function demandsOf(lines: readonly ReserveLine[]): SaleDemand[] {
  const demands = lines.map(({ saleId, ...line }) => ({ ...line, saleId: saleId ?? noSale }));
  const sums = sumByKey(demands, (demand) => `${stockKeyOf(demand)} ${demand.saleId}`);
  return sums.sort((a, b) => Number(isOfSale(b)) - Number(isOfSale(a)));
}

/** Adds up the quantities of a key. */
function sumByKey<T extends { readonly quantity: number }>(
  all: readonly T[],
  keyOf: (each: T) => string,
): T[] {
  const sums = new Map<string, T>();
  for (const each of all) {
    const key = keyOf(each);
    sums.set(key, { ...each, quantity: each.quantity + (sums.get(key)?.quantity ?? 0) });
  }
  return [...sums.values()];
}

/** @param demands those of sales first */
function shortagesOf(ledger: Ledger, demands: readonly SaleDemand[]): Shortage[] {
  const ofSales = new Map<string, number>();
  return demands.flatMap((demand) => {
    const { shopId, sku, saleId, quantity: requested } = demand;
    const key = stockKeyOf(demand);
    const ofSale = isOfSale(demand);
    const available = ofSale
      ? ledger.items.saleUnits(demand)
      : ledger.items.regularUnits(demand, ofSales.get(key));
    if (ofSale) ofSales.set(key, Math.min(requested, available));
    if (requested <= available) return [];
    const saleShortage = ofSale ? { saleId, saleShortage: ledger.items.saleShortage(demand) } : {};
    return [{ shopId, sku, requested, available, ...saleShortage }];
  });
}

/** Divides the units of each level between the demands of its key. */
function splitBySale(
  ledger: Ledger,
  allocations: readonly Allocation[],
  demands: readonly SaleDemand[],
) {
  const left = Map.groupBy(
    demands.map((demand) => ({ ...demand })),
    stockKeyOf,
  );
  return allocations.flatMap(({ levelId, quantity }) => {
    const { shopId, sku } = ledger.level(levelId);
    let toDivide = quantity;
    return (left.get(stockKeyOf({ shopId, sku })) ?? []).flatMap((demand) => {
      const taken = Math.min(demand.quantity, toDivide);
      demand.quantity -= taken;
      toDivide -= taken;
      return taken > 0 ? [{ shopId, levelId, saleId: demand.saleId, quantity: taken }] : [];
    });
  });
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
