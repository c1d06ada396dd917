import type { EntityManager } from '@mikro-orm/postgresql';
import { type StockKey, stockKeyOf } from '../../contracts/stock-key.js';
import { tryAgain } from '../../shared/errors.js';
import type { Logger } from '../../shared/observability/logger.js';
import { startWorker } from '../../shared/runtime/worker.js';
import type { StockMessages } from '../signals/stock-messages.js';
import type { AlertKind } from './read-affected.js';
import { LevelFeed } from './shop-levels.js';
import { WatchedLevels } from './watched-levels.js';

const readEveryMs = 1000;
const coalesceMs = 50;
// Items whose levels one statement reads. Beyond `hintedMax` that wait, the round finds the changes.
const itemsPerRead = 200;
const hintedMax = 20_000;

export interface AlertLimits {
  /** open feeds of a process */
  readonly feedsMax: number;
  /** affected levels that a process keeps, of all watched shops */
  readonly levelsMax: number;
}
const limitsDefault: AlertLimits = { feedsMax: 5000, levelsMax: 250_000 };

/** The feeds of one kind of alert, of all subscribers of this process. */
export interface LevelAlerts {
  /**
   * Opens a feed of the ids of levels that become affected, or worse, from now on.
   *
   * @throws `TRY_AGAIN` while this process has 5,000 feeds, or the watched shops have 250,000 affected levels.
   *   The feed ends with `TRY_AGAIN` when its shop grows beyond that number
   */
  open(shopId: string): Promise<LevelFeed>;
  /** affected levels that are kept in memory */
  levels(): number;
  stop(): Promise<void>;
}

/**
 * The affected levels of a watched shop are read once, for all of its feeds. From then on the levels of items
 * are read whose change Redis reports, and each second the next 2,000 affected levels of all watched shops,
 * in turn. So code that moves stock does nothing for alerts. A level that is affected only between two reads
 * causes no alert.
 *
 * @param em of connections that no sale waits for
 */
export function createLevelAlerts(
  kind: AlertKind,
  em: EntityManager,
  messages: StockMessages,
  logger: Logger,
  { feedsMax, levelsMax }: AlertLimits = limitsDefault,
): LevelAlerts {
  const watched = new WatchedLevels(em, kind, levelsMax);
  const feeds = new Set<LevelFeed>();
  const loads = new Map<string, Promise<void>>();
  const hinted = new Map<string, StockKey>();
  let soon: NodeJS.Timeout | undefined;

  async function lookAtHinted() {
    while (hinted.size > 0) {
      const some = [...hinted].slice(0, itemsPerRead);
      for (const [key] of some) hinted.delete(key);
      const keys = some.map(([, key]) => key).filter(({ shopId }) => watched.isWatched(shopId));
      if (keys.length > 0) await watched.look(keys);
    }
  }
  const lookSoon = () => {
    soon ??= setTimeout(() => {
      lookAtHinted()
        .catch((error) => logger.warn({ err: error }, `${kind.name} could not be read`))
        .finally(() => {
          soon = undefined;
          if (hinted.size > 0) lookSoon();
        });
    }, coalesceMs);
  };
  messages.listen({
    isIdle: () => feeds.size === 0,
    handle(changes) {
      for (const { shopId, sku } of changes) {
        if (hinted.size >= hintedMax || !watched.isWatched(shopId)) continue;
        hinted.set(stockKeyOf({ shopId, sku }), { shopId, sku });
      }
      if (hinted.size > 0) lookSoon();
    },
  });
  const round = startWorker(`read of ${kind.name}`, readEveryMs, logger, () =>
    watched
      .readOn()
      .catch((error) => logger.warn({ err: error }, `${kind.name} could not be read`)),
  );

  return {
    async open(shopId) {
      if (feeds.size >= feedsMax) throw full();
      const shop = watched.watch(shopId);
      const feed: LevelFeed = new LevelFeed(() => {
        feeds.delete(feed);
        shop.feeds.delete(feed);
        if (shop.feeds.size > 0) return;
        watched.unwatch(shopId);
        loads.delete(shopId);
      });
      feeds.add(feed);
      shop.feeds.add(feed);
      try {
        const load = loads.get(shopId) ?? watched.load(shopId);
        loads.set(shopId, load);
        await load;
        if (feed.isClosed) throw full();
        return feed;
      } catch (error) {
        await feed.return();
        throw error;
      }
    },
    levels: () => watched.size,
    async stop() {
      clearTimeout(soon);
      await round.stop();
      for (const feed of [...feeds]) void feed.return();
    },
  };
}

const full = () => tryAgain('Too many open subscriptions. Try again later.');
