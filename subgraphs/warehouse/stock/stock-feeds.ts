import type { Redis } from 'ioredis';
import { type EntityManager, sql } from '../../shared/database.js';
import { LatestFeed } from '../../shared/latest-feed.js';
import type { Logger } from '../../shared/logger.js';
import { startWorker } from '../../shared/worker.js';
import { type StockChanged, stockChannel } from './stock-signals.js';

/** Which stock a subscriber watches: skus, a shop, or those skus of that shop. */
export interface StockFilter {
  readonly skus: readonly string[] | null;
  readonly shopId: string | null;
}

const catchUpEveryMs = 1000;

export type StockFeed = LatestFeed<StockChanged>;

/** A feed of what a subscriber watches. */
export function createStockFeed(
  { skus, shopId }: StockFilter,
  onClose: (feed: StockFeed) => void,
): StockFeed {
  const isWatched = (change: StockChanged) =>
    (!skus || skus.includes(change.sku)) && (!shopId || shopId === change.shopId);
  return new LatestFeed<StockChanged>(
    (change) =>
      isWatched(change) ? { key: `${change.shopId} ${change.sku}`, version: change.version } : null,
    onClose,
  );
}

/** The feeds of all subscribers of this process. */
export interface StockFeeds {
  /** Opens a feed that begins with the stock as it is now. */
  open(filter: StockFilter): Promise<StockFeed>;
  /** how many are open */
  count(): number;
  stop(): Promise<void>;
}

/**
 * Feeds live on Redis's events. What was not published (a process killed after COMMIT, Redis away)
 * is made good once a second from the versions in the database.
 */
export function createStockFeeds(em: EntityManager, redis: Redis, logger: Logger): StockFeeds {
  const feeds = new Map<StockFeed, StockFilter>();
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
    for (const change of await readItems(em, [...feeds.values()])) {
      for (const feed of feeds.keys()) feed.push(change);
    }
  });

  return {
    async open(filter) {
      const feed = createStockFeed(filter, (closed) => feeds.delete(closed));
      feeds.set(feed, filter);
      try {
        for (const change of await readItems(em, [filter])) feed.push(change);
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

/** All items that any of the filters watches, in one statement. */
async function readItems(em: EntityManager, filters: StockFilter[]): Promise<StockChanged[]> {
  const shops = filters.flatMap(({ skus, shopId }) => (shopId && !skus ? [shopId] : []));
  const skus = new Set(filters.flatMap((filter) => filter.skus ?? []));
  const rows = await sql<StockChanged>(
    em.fork(),
    `select shop_id as "shopId", sku, available, version, updated_at as at
     from stock_item where sku = any($1::varchar[]) or shop_id = any($2::uuid[])`,
    [[...skus], [...new Set(shops)]],
  );
  return rows.map((row) => ({ ...row, at: new Date(row.at).toISOString() }));
}
