import type { EntityManager } from '@mikro-orm/postgresql';
import { type StockKey, stockKeyOf } from '../../contracts/stock-key.js';
import {
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
 * them gives back what is neither held nor sold, and is no longer in the sale. A revision that is not above the last
 * applied changes nothing.
 *
 * @returns the lines that were refused; none: it is applied
 * @throws `TRY_AGAIN`; OutcomeUnknown
 */
export async function allocateSale(
  store: StockStore,
  allocation: Requested,
): Promise<readonly RefusedAllocation[]> {
  const { refused } = await moveStock(store, (em) => allocate(em, allocation), {
    signalsOf: ({ changed }) => ({ changed }),
    isStored: async (em, { refused }) =>
      refused.length > 0 || (await readRevision(em, allocation)) >= allocation.revision,
  });
  return refused;
}

async function allocate(em: EntityManager, allocation: Requested) {
  const { shopId, saleId, lines } = allocation;
  const nothing = { refused: [], changed: [] };
  if ((await lockRevision(em, allocation)) >= allocation.revision) return nothing;
  const before = await readSkus(em, allocation);
  const skus = [...new Set([...lines.map(({ sku }) => sku), ...before])];
  const keys = skus.map((sku) => ({ shopId, sku }));
  const items = new Map(
    (await lockItems(em, keys, StockItem)).map((item) => [stockKeyOf(item), item]),
  );
  const { now, allocated } = await readAllocated(em, allocation);
  const refused = lines.flatMap(({ sku, units }) => {
    const item = items.get(stockKeyOf({ shopId, sku }));
    return refusalOf({ sku, units }, saleId, item, allocated.get(sku), now) ?? [];
  });
  if (refused.length > 0) return { ...nothing, refused };
  const unitsOf = new Map(lines.map(({ sku, units }) => [sku, units]));
  const units = skus.flatMap((sku): NewItemUnits[] => {
    const item = items.get(stockKeyOf({ shopId, sku }));
    if (!item) return [];
    const { held, sold } = allocated.get(sku) ?? none;
    const wanted = unitsOf.get(sku);
    return [{ item, held, sold, allocated: wanted ?? held + sold, isIn: wanted !== undefined }];
  });
  const changed = await writeItems(em, allocation, units, now);
  await writeRevision(em, allocation);
  return { refused, changed };
}

const none: AllocatedItem = { allocated: 0, held: 0, sold: 0 };

function refusalOf(
  line: { readonly sku: string; readonly units: number },
  saleId: string,
  item: StockItem | undefined,
  { allocated, held, sold }: AllocatedItem = none,
  now: Date,
): RefusedAllocation | null {
  const isOthers = item?.saleId && item.saleId !== saleId && now < (item.setAsideUntil as Date);
  // Nothing is held, so that nothing comes back: buyers were answered that it is sold out.
  const isFinal = isSoldOut({ allocated, sold });
  const least = held + sold;
  const most = isFinal ? sold : least + (item?.available ?? 0);
  const fits = item !== undefined && line.units >= least && line.units <= most;
  if (fits && !isOthers) return null;
  return { ...line, least, most, otherSaleId: isOthers ? item.saleId : null };
}

/** Below each revision: nothing was applied. */
const noRevision = -1;

const keyOf = ({ shopId, saleId }: Requested) => [shopId, saleId];

async function readRevision(em: EntityManager, allocation: Requested, lock = ''): Promise<number> {
  const [row] = await sql<{ revision: number }>(
    em,
    `select revision from sale_allocation where shop_id = $1 and sale_id = $2 ${lock}`,
    keyOf(allocation),
  );
  return row?.revision ?? noRevision;
}

/** Locks the row of the revision, of the first one too: a later one that overtakes it must wait, or come first. */
async function lockRevision(em: EntityManager, allocation: Requested): Promise<number> {
  await sql(
    em,
    `insert into sale_allocation (shop_id, sale_id, revision, ends_at) values ($1, $2, ${noRevision}, $3)
     on conflict do nothing`,
    [...keyOf(allocation), allocation.endsAt],
  );
  return readRevision(em, allocation, 'for update');
}

const writeRevision = (em: EntityManager, allocation: Requested) =>
  sql(
    em,
    `update sale_allocation set revision = $3, ends_at = $4, updated_at = now()
     where shop_id = $1 and sale_id = $2`,
    [...keyOf(allocation), allocation.revision, allocation.endsAt],
  );

/** Rows come and go under the lock of the revision only. */
async function readSkus(em: EntityManager, allocation: Requested): Promise<string[]> {
  const rows = await sql<Pick<StockKey, 'sku'>>(
    em,
    'select sku from sale_item where shop_id = $1 and sale_id = $2',
    keyOf(allocation),
  );
  return rows.map(({ sku }) => sku);
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
