import type { EntityManager } from '@mikro-orm/postgresql';
import type { EventMessage } from '../../contracts/events.js';
import type { SaleAllocation as Requested } from '../../contracts/warehouse.js';
import { sql } from '../../shared/database/sql.js';
import { enqueue } from '../../shared/messaging/outbox.js';
import type { StockChanged } from '../signals/stock-signals.js';
import { crossesZero, inStockEvent, type StockItem, sellableUnits } from '../stock/stock-item.js';

/** The units of one item of a sale. */
export interface AllocatedItem {
  readonly allocated: number;
  readonly held: number;
  readonly sold: number;
}

/** The units of a locked item that a sale has from now on. */
export interface NewItemUnits extends AllocatedItem {
  readonly item: StockItem;
  /** false: the sale gives it back */
  readonly isIn: boolean;
}

/**
 * Writes what a sale has of each item, and the events for the product subgraph of those that came into stock or
 * ran out.
 *
 * @returns the changes to publish after COMMIT
 */
export async function writeItems(
  em: EntityManager,
  sale: Requested,
  units: readonly NewItemUnits[],
  now: Date,
): Promise<StockChanged[]> {
  const endsAt = new Date(sale.endsAt);
  await writeSaleItems(em, sale, units);
  const changed: StockChanged[] = [];
  const events: EventMessage[] = [];
  // Of an item that is in another sale by now nothing changes.
  const ofItems = units.filter(({ item, isIn }) => isIn || item.saleId === sale.saleId);
  const rows = ofItems.map(({ item, allocated, held, sold, isIn }) => {
    const before = sellableUnits(item, now);
    const setAside = isIn ? allocated - held - sold : 0;
    const after = sellableUnits({ ...item, setAside, setAsideUntil: isIn ? endsAt : null }, now);
    const isChanged = before.regular !== after.regular;
    const { shopId, sku } = item;
    const version = item.version + Number(isChanged);
    const change = { shopId, sku, available: after.regular, version, at: now.toISOString() };
    if (isChanged) changed.push(change);
    if (crossesZero(before, after)) events.push(inStockEvent(change, after));
    return { sku, saleId: isIn ? sale.saleId : null, setAside, version };
  });
  await writeStockItems(em, sale, rows, now);
  await enqueue(em, events);
  return changed;
}

/** Of an item that it gives back, the sale keeps what it holds and has sold. */
async function writeSaleItems(em: EntityManager, sale: Requested, units: readonly NewItemUnits[]) {
  const { shopId, saleId } = sale;
  const isKept = ({ isIn, allocated }: NewItemUnits) => isIn || allocated > 0;
  const kept = units.filter(isKept);
  await sql(
    em,
    `insert into sale_item as s (shop_id, sale_id, sku, allocated)
     select $1, $2, sku, allocated from unnest($3::varchar[], $4::int[]) as e (sku, allocated)
     on conflict (shop_id, sale_id, sku) do update
       set allocated = excluded.allocated, updated_at = now()`,
    [shopId, saleId, kept.map(({ item }) => item.sku), kept.map(({ allocated }) => allocated)],
  );
  const dropped = units.filter((each) => !isKept(each)).map(({ item }) => item.sku);
  if (dropped.length === 0) return;
  await sql(
    em,
    'delete from sale_item where shop_id = $1 and sale_id = $2 and sku = any($3::varchar[])',
    [shopId, saleId, dropped],
  );
}

interface StockItemRow {
  readonly sku: string;
  readonly saleId: string | null;
  readonly setAside: number;
  readonly version: number;
}

const writeStockItems = (
  em: EntityManager,
  { shopId, endsAt }: Requested,
  rows: readonly StockItemRow[],
  now: Date,
) =>
  sql(
    em,
    `update stock_item i set sale_id = e.sale_id, set_aside = e.set_aside, version = e.version,
       set_aside_until = case when e.sale_id is not null then $2::timestamptz end,
       end_due_at = case when e.sale_id is not null then $2::timestamptz end, updated_at = $3
     from unnest($4::varchar[], $5::uuid[], $6::int[], $7::int[])
       as e (sku, sale_id, set_aside, version)
     where i.shop_id = $1 and i.sku = e.sku`,
    [
      shopId,
      endsAt,
      now,
      rows.map(({ sku }) => sku),
      rows.map(({ saleId }) => saleId),
      rows.map(({ setAside }) => setAside),
      rows.map(({ version }) => version),
    ],
  );
