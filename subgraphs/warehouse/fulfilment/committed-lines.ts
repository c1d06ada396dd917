import type { EntityManager } from '@mikro-orm/postgresql';
import type { UnitsOfSku } from '../../contracts/stock-key.js';
import { sql } from '../../shared/database/sql.js';
import { lockReservation } from '../locks.js';
import type { Ledger } from '../stock/ledger.js';
import type { OpenLedger } from '../stock/move-stock.js';
import type { StockLevel } from '../stock/stock-level.js';

/** Committed units of an order at one level, of a sale or regular ones, that are neither shipped nor cancelled. */
export interface CommittedLine {
  readonly level: StockLevel;
  readonly saleId: string;
  open: number;
}

/** A shop’s part of a paid order, locked: its reservation and its stock. */
export interface CommittedPart {
  readonly ledger: Ledger;
  readonly lines: readonly CommittedLine[];
}

interface Row {
  readonly levelId: string;
  readonly shopId: string;
  readonly saleId: string;
  readonly sku: string;
  readonly open: number;
}

interface PartOfOrder {
  readonly orderId: string;
  readonly shopId: string;
  /** a warehouse that its units are to be moved to */
  readonly toWarehouseId?: string;
}

/** @returns null unless the reservation of the order is `COMMITTED` */
export async function openCommittedPart(
  em: EntityManager,
  openLedger: OpenLedger,
  { orderId, shopId, toWarehouseId }: PartOfOrder,
): Promise<CommittedPart | null> {
  if ((await lockReservation(em, orderId)) !== 'COMMITTED') return null;
  const rows = await sql<Row>(
    em,
    `select l.level_id as "levelId", l.shop_id as "shopId",
       l.sale_id as "saleId", s.sku, l.quantity - l.shipped - l.cancelled as open
     from reservation_line l join stock_level s on s.shop_id = l.shop_id and s.id = l.level_id
     where l.order_id = $1 and l.shop_id = $2 and l.quantity > l.shipped + l.cancelled`,
    [orderId, shopId],
  );
  const ledger = await openLedger(rows, {
    levels: rows,
    warehouseIds: toWarehouseId ? [toWarehouseId] : [],
  });
  const lines = rows.map(({ levelId, saleId, open }) => {
    return { level: ledger.level(levelId), saleId, open };
  });
  return { ledger, lines };
}

/** Units to take from one line. */
export interface Taken {
  readonly level: StockLevel;
  readonly saleId: string;
  readonly units: number;
}

/**
 * Takes units from the lines of their sku, in the order of `compare`.
 *
 * @returns the units of each level, and those that no line has: 0 unless a unit is taken twice
 */
export function takeUnits(
  lines: readonly CommittedLine[],
  wanted: readonly UnitsOfSku[],
  compare: (a: StockLevel, b: StockLevel) => number,
): { taken: Taken[]; left: number } {
  const taken: Taken[] = [];
  let left = 0;
  for (const { sku, quantity } of wanted) {
    let missing = quantity;
    const ofSku = lines.filter(({ level }) => level.sku === sku);
    for (const line of ofSku.toSorted((a, b) => compare(a.level, b.level))) {
      const units = Math.min(line.open, missing);
      if (units === 0) continue;
      line.open -= units;
      missing -= units;
      taken.push({ level: line.level, saleId: line.saleId, units });
    }
    left += missing;
  }
  return { taken, left };
}

/** Counts units of a reservation as shipped or cancelled; with the last of them it is done. */
export async function countTaken(
  em: EntityManager,
  { orderId, shopId }: Pick<PartOfOrder, 'orderId' | 'shopId'>,
  as: 'shipped' | 'cancelled',
  taken: readonly Taken[],
): Promise<void> {
  if (taken.length === 0) return;
  await sql(
    em,
    `update reservation_line l set ${as} = l.${as} + t.units
     from (select level_id, sale_id, sum(units) as units
           from unnest($2::uuid[], $5::uuid[], $3::int[]) as each (level_id, sale_id, units)
           group by level_id, sale_id) t
     where l.order_id = $1 and l.shop_id = $4 and l.level_id = t.level_id and l.sale_id = t.sale_id`,
    [
      orderId,
      taken.map(({ level }) => level.id),
      taken.map(({ units }) => units),
      shopId,
      taken.map(({ saleId }) => saleId),
    ],
  );
  await sql(
    em,
    `update reservation set done_at = now() where order_id = $1 and not exists (
       select from reservation_line where order_id = $1 and quantity > shipped + cancelled)`,
    [orderId],
  );
}
