import { createHash } from 'node:crypto';
import type { EntityManager } from '@mikro-orm/postgresql';
import { stockKeyOf } from '../../contracts/stock-key.js';
import {
  type AllocationOutcome,
  isSoldOut,
  type RefusedAllocation,
  type SaleAllocation as Requested,
} from '../../contracts/warehouse.js';
import { sql } from '../../shared/database/sql.js';
import { lockItems } from '../locks.js';
import { moveStock } from '../stock/move-stock.js';
import { StockItem } from '../stock/stock-item.js';
import type { StockStore } from '../stock/stock-store.js';
import { type AllocatedItem, type NewItemUnits, writeItems } from './write-items.js';

/**
 * Sets the units of a sale in one shop aside, all lines or none. It has the whole of them: an item that is not among
 * them gives back what is neither held nor sold, and is no longer in the sale. A line that is as it was is neither
 * decided nor locked. A revision that is not above the last applied changes nothing; it is applied if it was the last,
 * with the same content. A shop whose primary lost commits may use a revision twice.
 *
 * @throws `TRY_AGAIN`; OutcomeUnknown
 */
export async function allocateSale(
  store: StockStore,
  allocation: Requested,
): Promise<AllocationOutcome> {
  const { refused, lastRevision } = await moveStock(store, (em) => allocate(em, allocation), {
    signalsOf: ({ changed }) => ({ changed }),
    isStored: async (em) => isSame(await readLast(em, allocation), allocation),
  });
  return { refused, lastRevision };
}

async function allocate(em: EntityManager, allocation: Requested) {
  const { shopId, saleId, lines } = allocation;
  const nothing = { refused: [], changed: [], lastRevision: null };
  const last = await lockRevision(em, allocation);
  if (isSame(last, allocation)) return nothing;
  if (last.revision >= allocation.revision) return { ...nothing, lastRevision: last.revision };
  const before = await readItems(em, allocation);
  const unitsOf = new Map(lines.map(({ sku, units }) => [sku, units]));
  const sameEnd = last.endsAt.getTime() === new Date(allocation.endsAt).getTime();
  const isUnchanged = (sku: string) =>
    sameEnd && before.has(sku) && before.get(sku) === unitsOf.get(sku);
  const skus = [...new Set([...unitsOf.keys(), ...before.keys()])].filter(
    (sku) => !isUnchanged(sku),
  );
  const keys = skus.map((sku) => ({ shopId, sku }));
  const items = new Map(
    (await lockItems(em, keys, StockItem)).map((item) => [stockKeyOf(item), item]),
  );
  const { now, allocated } = await readAllocated(em, allocation);
  const refused = skus.flatMap((sku) => {
    const units = unitsOf.get(sku);
    if (units === undefined) return [];
    const item = items.get(stockKeyOf({ shopId, sku }));
    return refusalOf({ sku, units }, saleId, item, allocated.get(sku), now) ?? [];
  });
  if (refused.length > 0) return { ...nothing, refused };
  const units = skus.flatMap((sku): NewItemUnits[] => {
    const item = items.get(stockKeyOf({ shopId, sku }));
    if (!item) return [];
    const { held, sold } = allocated.get(sku) ?? none;
    const wanted = unitsOf.get(sku);
    const isIn = wanted !== undefined && !isOthers(item, saleId, now);
    return [{ item, held, sold, allocated: wanted ?? held + sold, isIn }];
  });
  const changed = await writeItems(em, allocation, units, now);
  await writeRevision(em, allocation);
  return { ...nothing, changed };
}

const none: AllocatedItem = { allocated: 0, held: 0, sold: 0 };

/** Whether another sale that is not over has units of an item set aside. */
const isOthers = ({ saleId, setAsideUntil }: StockItem, ofSale: string, now: Date): boolean =>
  saleId !== null && saleId !== ofSale && now < (setAsideUntil as Date);

/** What a sale has is confirmed: it keeps it, also where fewer units are available by now. */
function refusalOf(
  line: { readonly sku: string; readonly units: number },
  saleId: string,
  item: StockItem | undefined,
  { allocated, held, sold }: AllocatedItem = none,
  now: Date,
): RefusedAllocation | null {
  // Nothing is held, so that nothing comes back: buyers were answered that it is sold out.
  const isFinal = isSoldOut({ allocated, sold });
  const least = held + sold;
  const otherSaleId = item && isOthers(item, saleId, now) ? item.saleId : null;
  const isFixed = isFinal || otherSaleId !== null;
  const most = isFixed ? allocated : Math.max(allocated, least + (item?.available ?? 0));
  if (line.units >= least && line.units <= most) return null;
  return { ...line, least, most, otherSaleId };
}

/** Below each revision: nothing was applied. */
const noRevision = -1;

const keyOf = ({ shopId, saleId }: Requested) => [shopId, saleId];

interface LastAllocation {
  readonly revision: number;
  readonly content: string;
  readonly endsAt: Date;
}

/** Hash of what a sale is to have in a shop. */
function contentOf({ endsAt, lines }: Requested): string {
  const units = lines.map(({ sku, units }) => [sku, units]).sort();
  const content = JSON.stringify([new Date(endsAt).getTime(), units]);
  return createHash('sha256').update(content).digest('hex');
}

const isSame = ({ revision, content }: LastAllocation, allocation: Requested): boolean =>
  revision === allocation.revision && content === contentOf(allocation);

async function readLast(
  em: EntityManager,
  allocation: Requested,
  lock = '',
): Promise<LastAllocation> {
  const [row] = await sql<LastAllocation>(
    em,
    `select revision, content, ends_at as "endsAt" from sale_allocation
     where shop_id = $1 and sale_id = $2 ${lock}`,
    keyOf(allocation),
  );
  return row
    ? { ...row, endsAt: new Date(row.endsAt) }
    : { revision: noRevision, content: '', endsAt: new Date(0) };
}

/** Locks the row of the revision, of the first one too: a later one that overtakes it must wait, or come first. */
async function lockRevision(em: EntityManager, allocation: Requested) {
  await sql(
    em,
    `insert into sale_allocation (shop_id, sale_id, revision, ends_at) values ($1, $2, ${noRevision}, $3)
     on conflict do nothing`,
    [...keyOf(allocation), allocation.endsAt],
  );
  return readLast(em, allocation, 'for update');
}

const writeRevision = (em: EntityManager, allocation: Requested) =>
  sql(
    em,
    `update sale_allocation set revision = $3, ends_at = $4, content = $5, updated_at = now()
     where shop_id = $1 and sale_id = $2`,
    [...keyOf(allocation), allocation.revision, allocation.endsAt, contentOf(allocation)],
  );

/** Units allocated to the items that are in the sale, by SKU. These change under the lock of the revision only. */
async function readItems(em: EntityManager, allocation: Requested): Promise<Map<string, number>> {
  const rows = await sql<{ sku: string; allocated: number }>(
    em,
    `select s.sku, s.allocated from sale_item s
       join stock_item i on i.shop_id = s.shop_id and i.sku = s.sku and i.sale_id = s.sale_id
     where s.shop_id = $1 and s.sale_id = $2`,
    keyOf(allocation),
  );
  return new Map(rows.map(({ sku, allocated }) => [sku, allocated]));
}

/** The units of the sale and the time by PostgreSQL’s clock, behind the locks of the items. */
async function readAllocated(em: EntityManager, allocation: Requested) {
  const rows = await sql<AllocatedItem & { now: string; sku: string | null }>(
    em,
    `select clock_timestamp() as now, s.sku, s.allocated, s.held, s.sold
     from (select 1) as one left join sale_item s on s.shop_id = $1 and s.sale_id = $2`,
    keyOf(allocation),
  );
  const allocated = new Map<string, AllocatedItem>();
  for (const { sku, ...units } of rows) if (sku !== null) allocated.set(sku, units);
  return { now: new Date(rows[0]?.now as string), allocated };
}
