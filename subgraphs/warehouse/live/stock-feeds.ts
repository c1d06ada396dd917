import type { EntityManager } from '@mikro-orm/postgresql';
import type { Logger } from '../../shared/observability/logger.js';
import { startWorker } from '../../shared/runtime/worker.js';
import type { StockMessages } from '../signals/stock-messages.js';
import { type PaceLimits, SnapshotPace } from './snapshot-pace.js';
import { createCatchUp } from './stock-catch-up.js';
import { createSnapshotReader } from './stock-snapshots.js';
import {
  createStockIndex,
  type StockFeed,
  type StockFeedLimits,
  type StockFilter,
  watchesOf,
} from './stock-watch.js';

const catchUpEveryMs = 1000;
const limitsDefault: StockFeedLimits = { feedsMax: 10_000, itemsMax: 250_000 };
const paceDefault: PaceLimits = { itemsPerSecond: 1000, burst: 10_000 };
// Until it is read: most shops have fewer variants, and wait for smaller snapshots.
const itemsOfShop = 1000;

/** The feeds of all subscribers of this process. */
export interface StockFeeds {
  /**
   * Opens a feed that starts with the current stock. It waits while many others are opened: 1,000 items a second
   * are sent in snapshots.
   *
   * @throws `BAD_USER_INPUT` for a filter with more than 10,000 items; `TRY_AGAIN` while this process has
   *   10,000 feeds, or watches 250,000 items, each counted for each feed that watches it. The feed ends with
   *   `TRY_AGAIN` when it grows beyond these numbers
   */
  open(filter: StockFilter): Promise<StockFeed>;
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
  paceLimits: PaceLimits = paceDefault,
): StockFeeds {
  const pace = new SnapshotPace(paceLimits);
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
    async open(filter) {
      const feed = index.open(watchesOf(filter));
      const expected = filter.skus?.length ?? itemsOfShop;
      try {
        await pace.turn(expected);
        const snapshot = await readSnapshot(filter);
        pace.charge(snapshot.length - expected);
        await index.load(feed, snapshot);
        return feed;
      } catch (error) {
        await feed.return();
        throw error;
      }
    },
    count: () => index.size,
    items: () => index.rows,
    async stop() {
      pace.stop();
      await catchUp.stop();
      index.closeAll();
    },
  };
}
