import type { EntityManager } from '@mikro-orm/postgresql';
import { tryAgain } from '../../shared/errors.js';
import type { Logger } from '../../shared/observability/logger.js';
import { startWorker } from '../../shared/runtime/worker.js';
import type { StockMessages } from '../signals/stock-messages.js';
import { type PaceLimits, SnapshotPace } from './snapshot-pace.js';
import { createCatchUp } from './stock-catch-up.js';
import { createSnapshotReader } from './stock-snapshots.js';
import {
  createStockIndex,
  feedItemsMax,
  type StockFeed,
  type StockFeedLimits,
  type StockFilter,
  type StockIndex,
  type StockWatch,
  watchesOf,
} from './stock-watch.js';

const catchUpEveryMs = 1000;
const limitsDefault: StockFeedLimits = { feedsMax: 10_000, itemsMax: 250_000 };
const paceOfSkus: PaceLimits = { itemsPerSecond: 1000, burst: 2000, debtMax: feedItemsMax };
const paceOfShops: PaceLimits = { itemsPerSecond: 500, burst: 10_000, debtMax: feedItemsMax };
// Of a shop that nobody watches yet.
const shopItemsExpected = 1000;
const never = new AbortController().signal;

/** The feeds of all subscribers of this process. */
export interface StockFeeds {
  /**
   * Opens a feed that starts with the current stock. While many others are opened, it waits: a second, 1,000 items of
   * SKUs and 500 of whole shops are sent in snapshots.
   *
   * @param hasLeft whether the subscriber no longer waits
   * @throws `BAD_USER_INPUT` for a filter with more than 10,000 items; `TRY_AGAIN` while this process has
   *   10,000 feeds, or watches 250,000 items, each counted for each feed that watches it, and when it stops. The
   *   feed ends with `TRY_AGAIN` when it grows beyond these numbers
   */
  open(filter: StockFilter, hasLeft?: AbortSignal): Promise<StockFeed>;
  /** the number of open feeds */
  count(): number;
  /** watched items, each counted for each feed that watches it */
  items(): number;
  stop(): Promise<void>;
}

/**
 * Feeds receive changes over Redis. A change that was not published (a process was killed after COMMIT,
 * Redis was away) is found by its version in the database: each second 5,000 watched items are compared,
 * in turn.
 *
 * @param em of connections that no sale waits for
 */
export function createStockFeeds(
  em: EntityManager,
  messages: StockMessages,
  logger: Logger,
  limits: StockFeedLimits = limitsDefault,
): StockFeeds {
  const paces = { skus: new SnapshotPace(paceOfSkus), shops: new SnapshotPace(paceOfShops) };
  const index = createStockIndex(limits);
  const readSnapshot = createSnapshotReader(em, limits.feedsMax);
  messages.listen({
    isIdle: () => index.size === 0,
    handle: (changes) => index.deliver(changes),
  });
  const catchUp = startWorker(
    'catch-up of stock feeds',
    catchUpEveryMs,
    logger,
    createCatchUp(em, index),
  );

  return {
    async open(filter, hasLeft = never) {
      const pace = filter.skus ? paces.skus : paces.shops;
      const watches = watchesOf(filter);
      const expected = itemsExpected(index, watches);
      const feed = index.open(watches);
      const close = () => void feed.return();
      hasLeft.addEventListener('abort', close, { once: true });
      try {
        await pace.turn(expected, hasLeft);
        if (feed.isClosed) throw stopping();
        const snapshot = await readSnapshot(filter);
        pace.charge(snapshot.length - expected);
        await index.load(feed, snapshot);
        return feed;
      } catch (error) {
        await feed.return();
        throw error;
      } finally {
        hasLeft.removeEventListener('abort', close);
      }
    },
    count: () => index.size,
    items: () => index.rows,
    async stop() {
      index.closeAll();
      for (const pace of Object.values(paces)) pace.stop();
      await catchUp.stop();
    },
  };
}

/** As many as others watch by the same names; at least one for each name. */
function itemsExpected(index: StockIndex, watches: readonly StockWatch[]): number {
  let items = 0;
  for (const watch of watches) {
    const unknown = watch.sku === null ? shopItemsExpected : 1;
    items += Math.max(1, index.topic(watch)?.known.size ?? unknown);
  }
  return items;
}

const stopping = () => tryAgain('The service is stopping. Subscribe again.');
