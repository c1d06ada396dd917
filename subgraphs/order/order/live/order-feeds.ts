import type { EntityManager } from '@mikro-orm/postgresql';
import type { Redis } from 'ioredis';
import { sql } from '../../../shared/database/sql.js';
import { tryAgain } from '../../../shared/errors.js';
import type { SubgraphContext } from '../../../shared/graphql/context.js';
import { LatestFeed } from '../../../shared/messaging/latest-feed.js';
import type { Logger } from '../../../shared/observability/logger.js';
import { startWorker } from '../../../shared/runtime/worker.js';
import type { OrderApp } from '../../context.js';
import { Order } from '../order.js';

export const orderChannel = 'order';

const catchUpEveryMs = 1000;
const gatherMs = 20;
const feedsMax = 10_000;

interface OrderVersion {
  readonly id: string;
  readonly version: number;
}
type VersionFeed = LatestFeed<OrderVersion>;

/** The feeds of all subscribers of this process. */
export interface OrderFeeds {
  /** Opens a feed that begins with the order as it is now. @throws `TRY_AGAIN` beyond the limit */
  open(orderId: string): Promise<AsyncIterableIterator<Order>>;
  /** how many are open */
  count(): number;
  stop(): Promise<void>;
}

export type LiveApp = OrderApp & { readonly feeds: OrderFeeds };
export type LiveContext = SubgraphContext<LiveApp>;

/**
 * Feeds live on hints of Redis: an id says that this order may have changed, its version is read. A
 * hint that was lost is made good once a second from the versions of all watched orders.
 */
export function createOrderFeeds(em: EntityManager, redis: Redis, logger: Logger): OrderFeeds {
  const feeds = new Map<VersionFeed, string>();
  const hinted = new Set<string>();
  let soon: NodeJS.Timeout | undefined;

  async function look(orderIds: readonly string[]): Promise<void> {
    const watched = new Set(feeds.values());
    const ids = [...new Set(orderIds)].filter((id) => watched.has(id));
    if (ids.length === 0) return;
    const found = new Map((await readVersions(em, ids)).map((row) => [row.id, row]));
    for (const [feed, orderId] of feeds) {
      const row = found.get(orderId);
      if (row) feed.push(row);
    }
  }
  function lookSoon(): void {
    soon ??= setTimeout(() => {
      soon = undefined;
      const orderIds = [...hinted];
      hinted.clear();
      look(orderIds).catch((error) => logger.debug({ err: error }, 'a hint was not followed'));
    }, gatherMs);
  }

  const subscribe = () => redis.subscribe(orderChannel).catch(() => {});
  if (redis.status === 'ready') void subscribe();
  redis.on('ready', subscribe);
  redis.on('message', (channel, message) => {
    if (channel !== orderChannel || feeds.size === 0) return;
    for (const orderId of message.split(',')) hinted.add(orderId);
    lookSoon();
  });
  const catchUp = startWorker('catch-up of order feeds', catchUpEveryMs, logger, () =>
    look([...feeds.values()]),
  );

  return {
    async open(orderId) {
      if (feeds.size >= feedsMax) throw tryAgain('Too many orders are watched here; ask again.');
      const feed: VersionFeed = new LatestFeed(
        ({ id, version }) => ({ key: id, version }),
        (closed) => feeds.delete(closed),
      );
      feeds.set(feed, orderId);
      await look([orderId]).catch(async (error) => {
        await feed.return();
        throw error;
      });
      return ordersOf(em, feed);
    },
    count: () => feeds.size,
    async stop() {
      clearTimeout(soon);
      await catchUp.stop();
      for (const feed of feeds.keys()) void feed.return();
    },
  };
}

/** The order itself at each version that is told; it may be at a later one by the time it is read. */
function ordersOf(em: EntityManager, feed: VersionFeed): AsyncIterableIterator<Order> {
  let sentVersion = 0;
  const next = async (): Promise<IteratorResult<Order>> => {
    for (;;) {
      const { done, value } = await feed.next();
      if (done) return { value: undefined, done };
      const order = await em.fork().findOneOrFail(Order, value.id);
      if (order.version <= sentVersion) continue;
      sentVersion = order.version;
      return { value: order, done: false };
    }
  };
  return {
    // Who reads does not close what failed by itself.
    next: () =>
      next().catch(async (error) => {
        await feed.return();
        throw error;
      }),
    async return() {
      await feed.return();
      return { value: undefined, done: true };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

const readVersions = (em: EntityManager, ids: readonly string[]) =>
  sql<OrderVersion>(
    em.fork(),
    'select id, version from customer_order where id = any($1::uuid[])',
    [ids],
  );
