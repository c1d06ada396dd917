import type { EntityManager } from '@mikro-orm/postgresql';
import type { Redis } from 'ioredis';
import { takingInTurn } from '../../../shared/batching/take-in-turn.js';
import type { SubgraphContext } from '../../../shared/graphql/context.js';
import { FeedIndex } from '../../../shared/messaging/feed-index.js';
import type { LatestFeed } from '../../../shared/messaging/latest-feed.js';
import type { Logger } from '../../../shared/observability/logger.js';
import { keepSubscribed } from '../../../shared/runtime/redis.js';
import { startWorker } from '../../../shared/runtime/worker.js';
import type { OrderApp } from '../../context.js';
import type { Order } from '../order.js';
import { createOrderReads, type OrderVersion, readChanged } from './read-watched-orders.js';

export const orderChannel = 'order';

const catchUpEveryMs = 1000;
const ordersPerTurn = 1000;
const gatherMs = 20;
// Versions of orders begin at 0 or 1.
const noVersion = -1;
const feedsMaxDefault = 10_000;

type VersionFeed = LatestFeed<OrderVersion>;
type OrderIndex = FeedIndex<OrderVersion, string>;

/** The feeds of all subscribers in this process. */
export interface OrderFeeds {
  /** Opens a feed that starts with the current order. @throws `TRY_AGAIN` beyond 10,000 feeds */
  open(orderId: string): Promise<AsyncIterableIterator<Order>>;
  /** number of open feeds */
  count(): number;
  stop(): Promise<void>;
}

export type LiveApp = OrderApp & { readonly feeds: OrderFeeds };
export type LiveContext = SubgraphContext<LiveApp>;

/**
 * Redis publishes the ids of orders that may have changed; the versions of those that are watched are read
 * from PostgreSQL. Each second 1,000 watched orders are compared with it, in turn, to find changes whose
 * message was lost.
 *
 * @param em of connections that no checkout waits for
 */
export function createOrderFeeds(
  em: EntityManager,
  redis: Redis,
  logger: Logger,
  feedsMax = feedsMaxDefault,
): OrderFeeds {
  const index: OrderIndex = new FeedIndex<OrderVersion, string>({
    kinds: 1,
    kindOf: () => 0,
    nameOf: (orderId) => orderId,
    topicOf: ({ id }) => id,
    keyOf: ({ id }) => id,
    feedsMax,
    rowsMax: feedsMax,
    feedRowsMax: 1,
  });
  const reads = createOrderReads(em, feedsMax);
  const hinted = new Set<string>();
  let soon: NodeJS.Timeout | undefined;

  const deliverChanged = async (known: readonly OrderVersion[]) =>
    index.deliver(await readChanged(em, known));
  async function readHinted() {
    const watched = [...hinted].filter((orderId) => index.topic(orderId));
    const known = watched.map((id) => ({ id, version: knownOf(index, id) ?? noVersion }));
    hinted.clear();
    for (let at = 0; at < known.length; at += ordersPerTurn) {
      await deliverChanged(known.slice(at, at + ordersPerTurn));
    }
  }
  function readSoon(): void {
    soon ??= setTimeout(() => {
      soon = undefined;
      readHinted().catch((error) => logger.debug({ err: error }, 'order refresh failed'));
    }, gatherMs);
  }

  keepSubscribed(redis, orderChannel);
  redis.on('message', (channel, message) => {
    if (channel !== orderChannel || index.size === 0) return;
    for (const orderId of message.split(',')) if (index.topic(orderId)) hinted.add(orderId);
    if (hinted.size > 0) readSoon();
  });
  const takeKnown = takingInTurn(ordersPerTurn, () => knownOrders(index));
  const catchUp = startWorker('refresh order feeds', catchUpEveryMs, logger, () =>
    deliverChanged(takeKnown()),
  );

  return {
    async open(orderId) {
      const feed = index.open([orderId]);
      try {
        await index.load(feed, [await reads.version(orderId)]);
        return ordersOf(feed, reads.order);
      } catch (error) {
        await feed.return();
        throw error;
      }
    },
    count: () => index.size,
    async stop() {
      clearTimeout(soon);
      await catchUp.stop();
      index.closeAll();
    },
  };
}

/** The version that the feeds of an order have; undefined before their snapshot was read. */
const knownOf = (index: OrderIndex, orderId: string) => index.topic(orderId)?.known.get(orderId);

function* knownOrders(index: OrderIndex): Generator<OrderVersion> {
  for (const { watch: id, known } of index.topics()) {
    const version = known.get(id);
    if (version !== undefined) yield { id, version };
  }
}

/** Reads the order for each version of the feed; by then it may have a later version. */
function ordersOf(
  feed: VersionFeed,
  readOrder: (id: string) => Promise<Order>,
): AsyncIterableIterator<Order> {
  let sentVersion = 0;
  const next = async (): Promise<IteratorResult<Order>> => {
    for (;;) {
      const { done, value } = await feed.next();
      if (done) return { value: undefined, done };
      const order = await readOrder(value.id);
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
