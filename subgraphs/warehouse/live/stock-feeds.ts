import type { EntityManager } from '@mikro-orm/postgresql';
import type { Redis } from 'ioredis';
import { type StockKey, stockKeyOf } from '../../contracts/stock-key.js';
import { sql } from '../../shared/database/sql.js';
import { badInput } from '../../shared/errors.js';
import { LatestFeed } from '../../shared/messaging/latest-feed.js';
import type { Logger } from '../../shared/observability/logger.js';
import { startWorker } from '../../shared/runtime/worker.js';
import { type StockChanged, stockChannel } from '../signals/stock-signals.js';

/** The stock that a subscriber watches: skus, a shop, or skus of one shop. */
export interface StockFilter {
  readonly skus: readonly string[] | null;
  readonly shopId: string | null;
}

const catchUpEveryMs = 1000;
// How many items one subscriber may watch, and how many one catch-up reads.
const shopItemsMax = 10_000;
const shopItemsPerTurn = 1000;
const beginning: StockKey = { shopId: '00000000-0000-0000-0000-000000000000', sku: '' };

export type StockFeed = LatestFeed<StockChanged>;

/** The feed of one subscriber. */
export function createStockFeed(
  { skus, shopId }: StockFilter,
  onClose: (feed: StockFeed) => void,
): StockFeed {
  const isWatched = (change: StockChanged) =>
    (!skus || skus.includes(change.sku)) && (!shopId || shopId === change.shopId);
  const feed: StockFeed = new LatestFeed(
    (change) => (isWatched(change) ? { key: stockKeyOf(change), version: change.version } : null),
    () => onClose(feed),
  );
  return feed;
}

/** The feeds of all subscribers of this process. */
export interface StockFeeds {
  /**
   * Opens a feed that starts with the current stock.
   *
   * @throws `BAD_USER_INPUT` for a whole shop of more than 10,000 items
   */
  open(filter: StockFilter): Promise<StockFeed>;
  /** the number of open feeds */
  count(): number;
  stop(): Promise<void>;
}

/**
 * Feeds receive changes over Redis. A change that was not published (a process was killed after
 * COMMIT, Redis was away) is found within a second by its version in the database; in feeds of
 * whole shops 1,000 items are checked per second, in turn.
 */
export function createStockFeeds(em: EntityManager, redis: Redis, logger: Logger): StockFeeds {
  const feeds = new Map<StockFeed, StockFilter>();
  const readShops = createShopReader(em);
  const subscribe = () => redis.subscribe(stockChannel).catch(() => {});
  if (redis.status === 'ready') void subscribe();
  redis.on('ready', subscribe);
  redis.on('message', (channel, message) => {
    if (channel !== stockChannel) return;
    for (const change of JSON.parse(message) as StockChanged[]) {
      for (const feed of feeds.keys()) feed.push(change);
    }
  });

  const catchUp = startWorker('catch-up of stock feeds', catchUpEveryMs, logger, async () => {
    if (feeds.size === 0) return;
    const filters = [...feeds.values()];
    const shopIds = filters.flatMap(({ skus, shopId }) => (shopId && !skus ? [shopId] : []));
    const skus = new Set(filters.flatMap((filter) => filter.skus ?? []));
    const changes = [await readSkus(em, [...skus]), await readShops([...new Set(shopIds)])].flat();
    for (const change of changes) {
      for (const feed of feeds.keys()) feed.push(change);
    }
  });

  return {
    async open(filter) {
      const feed = createStockFeed(filter, (closed) => feeds.delete(closed));
      feeds.set(feed, filter);
      try {
        for (const change of await readSnapshot(em, filter)) feed.push(change);
      } catch (error) {
        await feed.return();
        throw error;
      }
      return feed;
    },
    count: () => feeds.size,
    async stop() {
      await catchUp.stop();
      for (const feed of feeds.keys()) void feed.return();
    },
  };
}

const columns = 'shop_id as "shopId", sku, available, version, updated_at as at';

async function readRows(em: EntityManager, text: string, values: unknown[]) {
  const rows = await sql<StockChanged>(
    em.fork(),
    `select ${columns} from stock_item where ${text}`,
    values,
  );
  return rows.map((row) => ({ ...row, at: new Date(row.at).toISOString() }));
}

const readSkus = (em: EntityManager, skus: readonly string[]) =>
  skus.length > 0 ? readRows(em, 'sku = any($1::varchar[])', [skus]) : [];

async function readSnapshot(em: EntityManager, { skus, shopId }: StockFilter) {
  if (skus) return readSkus(em, skus);
  const rows = await readRows(em, 'shop_id = $1 limit $2', [shopId, shopItemsMax + 1]);
  if (rows.length <= shopItemsMax) return rows;
  throw badInput({ shopId: `has more than ${shopItemsMax} variants; give skus too` });
}

/**
 * Reads whole shops in turn, `shopItemsPerTurn` items per call, and starts again at the end: a call
 * costs the same for any number of items.
 */
function createShopReader(em: EntityManager) {
  let after: StockKey = beginning;
  return async (shopIds: readonly string[]): Promise<StockChanged[]> => {
    if (shopIds.length === 0) return [];
    const rows = await readRows(
      em,
      `shop_id = any($1::uuid[]) and (shop_id, sku) > ($2::uuid, $3)
       order by shop_id, sku limit $4`,
      [shopIds, after.shopId, after.sku, shopItemsPerTurn],
    );
    const isLast = rows.length < shopItemsPerTurn;
    after = (!isLast && rows.at(-1)) || beginning;
    return rows;
  };
}
