import type { EntityManager } from '@mikro-orm/postgresql';
import type { Redis } from 'ioredis';
import { sql } from '../../shared/database/sql.js';
import { KeyedLatest } from '../../shared/messaging/keyed-latest.js';
import type { Logger } from '../../shared/observability/logger.js';
import { startWorker } from '../../shared/runtime/worker.js';
import { type StockChanged, stockChannel } from '../signals/stock-signals.js';

const lookEveryMs = 1000;
const coalesceMs = 50;
const pendingMax = 10_000;

/**
 * The levels of one shop that became low since a subscriber connected and are not delivered yet.
 */
export class LowStockFeed extends KeyedLatest<string> {
  #low: ReadonlySet<string>;

  /** @param low the ids of the levels that are low at the start */
  constructor(
    readonly shopId: string,
    low: Iterable<string>,
    onClose: () => void,
  ) {
    super(pendingMax, onClose);
    this.#low = new Set(low);
  }

  /**
   * Compares the levels that are low now with the last ones, and delivers those that became low.
   * Beyond 10,000 unread levels, further ones cause no alert.
   */
  look(low: ReadonlySet<string>): void {
    for (const id of low) if (!this.#low.has(id)) this.put(id, id);
    for (const id of this.#low) if (!low.has(id)) this.remove(id);
    this.#low = low;
    this.release();
  }
}

/** The low-stock feeds of all subscribers of this process. */
export interface LowStockAlerts {
  /** Opens a feed of the ids of levels that become low from now on. */
  open(shopId: string): Promise<LowStockFeed>;
  stop(): Promise<void>;
}

/**
 * Low levels are read from the database, by the index of low levels: when Redis reports a stock
 * change in a watched shop, and once a second. So code that moves stock does nothing for alerts. A
 * level that is low only between two reads causes no alert.
 */
export function createLowStockAlerts(
  em: EntityManager,
  redis: Redis,
  logger: Logger,
): LowStockAlerts {
  const feeds = new Set<LowStockFeed>();
  let soon: NodeJS.Timeout | undefined;

  async function look() {
    const watched = [...feeds];
    if (watched.length === 0) return;
    const low = await readLow(em, [...new Set(watched.map(({ shopId }) => shopId))]);
    for (const feed of watched) feed.look(low.get(feed.shopId) ?? new Set());
  }

  redis.on('message', (channel, message) => {
    if (channel !== stockChannel || feeds.size === 0 || soon) return;
    const shops = new Set([...feeds].map(({ shopId }) => shopId));
    const changes = JSON.parse(message) as StockChanged[];
    if (!changes.some(({ shopId }) => shops.has(shopId))) return;
    soon = setTimeout(() => {
      soon = undefined;
      worker.wake();
    }, coalesceMs);
  });
  // Never concurrently: an earlier result must not arrive after a later one.
  const worker = startWorker('read of low stock levels', lookEveryMs, logger, () =>
    look().catch((error) => logger.warn({ err: error }, 'low stock levels could not be read')),
  );

  return {
    async open(shopId) {
      const low = await readLow(em, [shopId]);
      const feed: LowStockFeed = new LowStockFeed(shopId, low.get(shopId) ?? [], () =>
        feeds.delete(feed),
      );
      feeds.add(feed);
      return feed;
    },
    async stop() {
      clearTimeout(soon);
      await worker.stop();
      for (const feed of feeds) void feed.return();
    },
  };
}

/** shop → the ids of its low levels */
async function readLow(em: EntityManager, shopIds: string[]): Promise<Map<string, Set<string>>> {
  const rows = await sql<{ shopId: string; ids: string[] }>(
    em.fork(),
    `select shop_id as "shopId", array_agg(id) as ids from stock_level
     where is_low_stock and shop_id = any($1::uuid[]) group by shop_id`,
    [shopIds],
  );
  return new Map(rows.map(({ shopId, ids }) => [shopId, new Set(ids)]));
}
