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

/** What an alert is about: levels that are low, or levels that are short of units. */
export interface AlertKind {
  /** for the log */
  readonly name: string;
  /** condition of `stock_level`, for which there is an index */
  readonly condition: string;
  /** how bad it is: an alert is sent when it rises */
  readonly degree: string;
}

export const lowStock: AlertKind = {
  name: 'low stock levels',
  condition: 'is_low_stock',
  degree: '1',
};
export const shortfalls: AlertKind = {
  name: 'stock shortfalls',
  condition: 'shortfall > 0',
  degree: 'shortfall',
};

/** Level id → degree. */
type Degrees = ReadonlyMap<string, number>;

/**
 * The levels of one shop that alerts are due for, since a subscriber connected and not delivered yet.
 */
export class LevelFeed extends KeyedLatest<string> {
  /** @param last the levels that are affected at the start */
  constructor(
    readonly shopId: string,
    private last: Degrees,
    onClose: () => void,
  ) {
    super(pendingMax, onClose);
  }

  /**
   * Compares the levels that are affected now with the last ones, and delivers those that became worse.
   * Beyond 10,000 unread levels, further ones cause no alert.
   */
  look(degrees: Degrees): void {
    for (const [id, degree] of degrees) if (degree > (this.last.get(id) ?? 0)) this.put(id, id);
    for (const id of this.last.keys()) if (!degrees.has(id)) this.remove(id);
    this.last = degrees;
    this.release();
  }
}

/** The feeds of one kind of alert, of all subscribers of this process. */
export interface LevelAlerts {
  /** Opens a feed of the ids of levels that become affected, or worse, from now on. */
  open(shopId: string): Promise<LevelFeed>;
  stop(): Promise<void>;
}

/**
 * Affected levels are read from the database, by their index: when Redis reports a stock change in a
 * watched shop, and once a second. So code that moves stock does nothing for alerts. A level that is
 * affected only between two reads causes no alert.
 */
export function createLevelAlerts(
  kind: AlertKind,
  em: EntityManager,
  redis: Redis,
  logger: Logger,
): LevelAlerts {
  const feeds = new Set<LevelFeed>();
  let soon: NodeJS.Timeout | undefined;

  async function look() {
    const watched = [...feeds];
    if (watched.length === 0) return;
    const shopIds = [...new Set(watched.map(({ shopId }) => shopId))];
    const affected = await readAffected(em, kind, shopIds);
    for (const feed of watched) feed.look(affected.get(feed.shopId) ?? new Map());
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
  const worker = startWorker(`read of ${kind.name}`, lookEveryMs, logger, () =>
    look().catch((error) => logger.warn({ err: error }, `${kind.name} could not be read`)),
  );

  return {
    async open(shopId) {
      const affected = await readAffected(em, kind, [shopId]);
      const atStart = affected.get(shopId) ?? new Map();
      const feed: LevelFeed = new LevelFeed(shopId, atStart, () => feeds.delete(feed));
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

/** shop → its affected levels */
async function readAffected(
  em: EntityManager,
  { condition, degree }: AlertKind,
  shopIds: string[],
): Promise<Map<string, Degrees>> {
  const rows = await sql<{ shopId: string; ids: string[]; degrees: number[] }>(
    em.fork(),
    `select shop_id as "shopId", array_agg(id) as ids, array_agg(${degree}) as degrees
     from stock_level where ${condition} and shop_id = any($1::uuid[]) group by shop_id`,
    [shopIds],
  );
  return new Map(
    rows.map(({ shopId, ids, degrees }) => {
      return [shopId, new Map(ids.map((id, n) => [id, degrees[n] as number]))];
    }),
  );
}
