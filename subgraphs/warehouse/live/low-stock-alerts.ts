import type { EntityManager } from '@mikro-orm/postgresql';
import type { Redis } from 'ioredis';
import { sql } from '../../shared/database/sql.js';
import type { Logger } from '../../shared/observability/logger.js';
import { startWorker } from '../../shared/runtime/worker.js';
import { type StockChanged, stockChannel } from '../signals/stock-signals.js';

const lookEveryMs = 1000;
const coalesceMs = 50;
const pendingMax = 10_000;

/**
 * The levels of one shop that became low since a subscriber connected and are not delivered yet.
 */
export class LowStockFeed implements AsyncIterableIterator<string> {
  #low: ReadonlySet<string>;
  readonly #pending = new Set<string>();
  #closed = false;
  #waiting: ((result: IteratorResult<string>) => void) | undefined;

  /** @param low the ids of the levels that are low at the start */
  constructor(
    readonly shopId: string,
    low: Iterable<string>,
    private readonly onClose: (feed: LowStockFeed) => void,
  ) {
    this.#low = new Set(low);
  }

  /**
   * Compares the levels that are low now with the last ones, and delivers those that became low.
   */
  look(low: ReadonlySet<string>): void {
    for (const id of low) {
      if (!this.#low.has(id) && this.#pending.size < pendingMax) this.#pending.add(id);
    }
    for (const id of this.#pending) if (!low.has(id)) this.#pending.delete(id);
    this.#low = low;
    const [first] = this.#pending;
    if (!first || !this.#waiting) return;
    const resolve = this.#waiting;
    this.#waiting = undefined;
    this.#pending.delete(first);
    resolve({ value: first, done: false });
  }

  next(): Promise<IteratorResult<string>> {
    if (this.#closed) return Promise.resolve({ value: undefined, done: true });
    const [first] = this.#pending;
    if (first) {
      this.#pending.delete(first);
      return Promise.resolve({ value: first, done: false });
    }
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  return(): Promise<IteratorResult<string>> {
    if (!this.#closed) {
      this.#closed = true;
      this.onClose(this);
      this.#waiting?.({ value: undefined, done: true });
    }
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator]() {
    return this;
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
  let looking = Promise.resolve();

  // One read after the other: an earlier result must not arrive after a later one.
  const look = () => {
    looking = looking.then(lookOnce).catch((error) => {
      logger.warn({ err: error }, 'low stock levels could not be read');
    });
    return looking;
  };
  async function lookOnce() {
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
      void look();
    }, coalesceMs);
  });
  const worker = startWorker('read of low stock levels', lookEveryMs, logger, look);

  return {
    async open(shopId) {
      const low = await readLow(em, [shopId]);
      const feed = new LowStockFeed(shopId, low.get(shopId) ?? [], (closed) =>
        feeds.delete(closed),
      );
      feeds.add(feed);
      return feed;
    },
    async stop() {
      clearTimeout(soon);
      await worker.stop();
      await looking;
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
