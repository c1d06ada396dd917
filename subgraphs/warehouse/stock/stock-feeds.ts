import type { Redis } from 'ioredis';
import { type EntityManager, sql } from '../../shared/database.js';
import type { Logger } from '../../shared/logger.js';
import { startWorker } from '../../shared/worker.js';
import { type StockChanged, stockChannel } from './stock-signals.js';

/** Which stock a subscriber watches: skus, a shop, or those skus of that shop. */
export interface StockFilter {
  readonly skus: readonly string[] | null;
  readonly shopId: string | null;
}

const coalesceMs = 50;
const catchUpEveryMs = 1000;

/**
 * The changes that one subscriber has not been given yet: the latest of each row, so that one who
 * does not read costs no more than the rows that are watched. Versions of a row only rise.
 */
export class StockFeed implements AsyncIterableIterator<StockChanged> {
  readonly #pending = new Map<string, StockChanged>();
  readonly #versions = new Map<string, number>();
  #release: NodeJS.Timeout | undefined;
  #ready = false;
  #closed = false;
  #waiting: ((result: IteratorResult<StockChanged>) => void) | undefined;

  constructor(
    readonly filter: StockFilter,
    private readonly onClose: (feed: StockFeed) => void,
  ) {}

  push(change: StockChanged): void {
    const { skus, shopId } = this.filter;
    if ((skus && !skus.includes(change.sku)) || (shopId && shopId !== change.shopId)) return;
    const key = `${change.shopId} ${change.sku}`;
    if (change.version <= (this.#versions.get(key) ?? -1)) return;
    this.#versions.set(key, change.version);
    this.#pending.set(key, change);
    this.#release ??= setTimeout(() => this.#deliver(), coalesceMs);
  }

  #deliver(): void {
    this.#ready = true;
    this.#release = undefined;
    const next = this.#take();
    if (!next || !this.#waiting) return;
    const resolve = this.#waiting;
    this.#waiting = undefined;
    this.#pending.delete(next.key);
    resolve({ value: next.change, done: false });
  }

  #take() {
    const [first] = this.#pending;
    if (!first) this.#ready = false;
    return first && this.#ready ? { key: first[0], change: first[1] } : undefined;
  }

  next(): Promise<IteratorResult<StockChanged>> {
    if (this.#closed) return Promise.resolve({ value: undefined, done: true });
    const next = this.#take();
    if (next) {
      this.#pending.delete(next.key);
      return Promise.resolve({ value: next.change, done: false });
    }
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  return(): Promise<IteratorResult<StockChanged>> {
    if (!this.#closed) {
      this.#closed = true;
      clearTimeout(this.#release);
      this.#pending.clear();
      this.onClose(this);
      this.#waiting?.({ value: undefined, done: true });
    }
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator]() {
    return this;
  }
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
  const feeds = new Set<StockFeed>();
  const subscribe = () => redis.subscribe(stockChannel).catch(() => {});
  if (redis.status === 'ready') void subscribe();
  redis.on('ready', subscribe);
  redis.on('message', (channel, message) => {
    if (channel !== stockChannel) return;
    for (const change of JSON.parse(message) as StockChanged[]) {
      for (const feed of feeds) feed.push(change);
    }
  });

  const catchUp = startWorker('catch-up of stock feeds', catchUpEveryMs, logger, async () => {
    if (feeds.size === 0) return;
    const filters = [...feeds].map(({ filter }) => filter);
    for (const change of await readItems(em, filters)) for (const feed of feeds) feed.push(change);
  });

  return {
    async open(filter) {
      const feed = new StockFeed(filter, (closed) => feeds.delete(closed));
      feeds.add(feed);
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
      for (const feed of feeds) void feed.return();
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
