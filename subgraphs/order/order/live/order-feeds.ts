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

/** The feeds of all subscribers in this process. */
export interface OrderFeeds {
  /** Opens a feed that starts with the current order. @throws `TRY_AGAIN` beyond the limit */
  open(orderId: string): Promise<AsyncIterableIterator<Order>>;
  /** number of open feeds */
  count(): number;
  stop(): Promise<void>;
}

export type LiveApp = OrderApp & { readonly feeds: OrderFeeds };
export type LiveContext = SubgraphContext<LiveApp>;

/**
 * Redis publishes the ids of orders that may have changed; their versions are read from PostgreSQL.
 * Once a second the versions of all watched orders are read, to find changes whose message was lost.
 */
export function createOrderFeeds(em: EntityManager, redis: Redis, logger: Logger): OrderFeeds {
  const feeds = new Map<VersionFeed, string>();
  const hinted = new Set<string>();
  let soon: NodeJS.Timeout | undefined;

  async function refresh(orderIds: readonly string[]): Promise<void> {
    const watched = new Set(feeds.values());
    const ids = [...new Set(orderIds)].filter((id) => watched.has(id));
    if (ids.length === 0) return;
    const found = new Map((await readVersions(em, ids)).map((row) => [row.id, row]));
    for (const [feed, orderId] of feeds) {
      const row = found.get(orderId);
      if (row) feed.push(row);
    }
  }
  function refreshSoon(): void {
    soon ??= setTimeout(() => {
      soon = undefined;
      const orderIds = [...hinted];
      hinted.clear();
      refresh(orderIds).catch((error) => logger.debug({ err: error }, 'order refresh failed'));
    }, gatherMs);
  }

  const subscribe = () => redis.subscribe(orderChannel).catch(() => {});
  if (redis.status === 'ready') void subscribe();
  redis.on('ready', subscribe);
  redis.on('message', (channel, message) => {
    if (channel !== orderChannel || feeds.size === 0) return;
    for (const orderId of message.split(',')) hinted.add(orderId);
    refreshSoon();
  });
  const catchUp = startWorker('refresh order feeds', catchUpEveryMs, logger, () =>
    refresh([...feeds.values()]),
  );

  return {
    async open(orderId) {
      if (feeds.size >= feedsMax) throw tryAgain('Too many open subscriptions. Try again later.');
      const feed: VersionFeed = new LatestFeed(
        ({ id, version }) => ({ key: id, version }),
        () => feeds.delete(feed),
      );
      feeds.set(feed, orderId);
      await refresh([orderId]).catch(async (error) => {
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

/** Reads the order for each version of the feed; by then it may have a later version. */
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
    // A consumer does not close an iterator that fails.
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
