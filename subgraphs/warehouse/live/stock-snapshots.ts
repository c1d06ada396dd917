import type { EntityManager } from '@mikro-orm/postgresql';
import { stockKeyOf } from '../../contracts/stock-key.js';
import { Coalescer } from '../../shared/batching/coalescer.js';
import { badInput, type DomainError } from '../../shared/errors.js';
import type { StockChanged } from '../signals/stock-signals.js';
import { readItems } from './read-items.js';
import { feedItemsMax, type StockFilter } from './stock-watch.js';

// One statement for the feeds that are opened at once, of 10 × 100 SKUs at most.
const feedsPerRead = 10;
const readsAtOnce = 2;
const groupItemsMax = 10_000;
const waitMaxMs = 10_000;

type Snapshot = readonly StockChanged[] | DomainError;
type Snapshots = ReadonlyMap<StockFilter, Snapshot>;

/**
 * Reads snapshots for many feeds together: two groups at a time, each with one statement for the SKUs of up
 * to 10 feeds, and one for each shop.
 *
 * @param waitingMax snapshots that may wait
 * @returns a function that throws `BAD_USER_INPUT` for a filter with more than 10,000 items, and `TRY_AGAIN`
 *   for one that waited longer than 10 s
 */
export function createSnapshotReader(em: EntityManager, waitingMax: number) {
  const limits = { batchMax: feedsPerRead, inFlightMax: readsAtOnce, queueMax: waitingMax };
  const reads = new Coalescer<StockFilter, readonly StockChanged[]>(async (filters) => {
    const snapshots = await readGroup(em, filters);
    return filters.map((filter) => snapshots.get(filter) ?? []);
  }, limits);
  return (filter: StockFilter) => reads.submit(filter, waitMaxMs);
}

async function readGroup(em: EntityManager, filters: readonly StockFilter[]): Promise<Snapshots> {
  const { shop = [], keys = [], skus = [] } = Object.groupBy(filters, kindOf);
  return new Map([
    ...(await readSkus(em, skus)),
    ...(await readKeys(em, keys)),
    ...(await readShops(em, shop)),
  ]);
}

const kindOf = ({ skus, shopId }: StockFilter) => (!skus ? 'shop' : shopId ? 'keys' : 'skus');

const skusIn = ({ skus }: StockFilter) => [...new Set(skus)];

/** SKUs in all shops: by the index `stock_item_sku`. */
async function readSkus(em: EntityManager, filters: readonly StockFilter[]): Promise<Snapshots> {
  if (filters.length === 0) return new Map();
  const skus = [...new Set(filters.flatMap(skusIn))];
  const itemsMax = filters.length > 1 ? groupItemsMax : feedItemsMax;
  const items = await readItems(em, 'where i.sku = any($1::varchar[]) limit $2', [
    skus,
    itemsMax + 1,
  ]);
  if (items.length > itemsMax && filters.length > 1) return readEach(em, filters);
  const bySku = Map.groupBy(items, ({ sku }) => sku);
  return new Map(
    filters.map((filter) => {
      const own = skusIn(filter).flatMap((sku) => bySku.get(sku) ?? []);
      return [filter, own.length > feedItemsMax ? tooManyShops() : own];
    }),
  );
}

async function readEach(em: EntityManager, filters: readonly StockFilter[]): Promise<Snapshots> {
  const snapshots: [StockFilter, Snapshot][] = [];
  for (const filter of filters) snapshots.push(...(await readSkus(em, [filter])));
  return new Map(snapshots);
}

/** SKUs of one shop each: by the primary key. */
async function readKeys(em: EntityManager, filters: readonly StockFilter[]): Promise<Snapshots> {
  if (filters.length === 0) return new Map();
  const keys = filters.flatMap((filter) =>
    skusIn(filter).map((sku) => ({ shopId: filter.shopId as string, sku })),
  );
  const items = await readItems(
    em,
    `join (select distinct * from unnest($1::uuid[], $2::varchar[])) as watched (shop_id, sku)
       using (shop_id, sku)`,
    [keys.map(({ shopId }) => shopId), keys.map(({ sku }) => sku)],
  );
  const byKey = new Map(items.map((item) => [stockKeyOf(item), item]));
  return new Map(
    filters.map((filter) => {
      const { shopId } = filter;
      return [
        filter,
        skusIn(filter).flatMap((sku) => byKey.get(stockKeyOf({ shopId, sku })) ?? []),
      ];
    }),
  );
}

/** Whole shops, one after another: by the primary key. */
async function readShops(em: EntityManager, filters: readonly StockFilter[]): Promise<Snapshots> {
  const snapshots: [StockFilter, Snapshot][] = [];
  for (const [shopId, watchers] of Map.groupBy(filters, (filter) => filter.shopId as string)) {
    const items = await readItems(em, 'where i.shop_id = $1 limit $2', [shopId, feedItemsMax + 1]);
    const snapshot = items.length > feedItemsMax ? tooManyVariants() : items;
    for (const filter of watchers) snapshots.push([filter, snapshot]);
  }
  return new Map(snapshots);
}

const tooManyVariants = () =>
  badInput({ shopId: `has more than ${feedItemsMax} variants; give skus too` });
const tooManyShops = () =>
  badInput({ skus: `more than ${feedItemsMax} offers have them; give a shopId too` });
