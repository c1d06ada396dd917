import type { SaleSummary } from '../../../contracts/shop.js';
import type { SaleStock } from '../../../contracts/warehouse.js';
import { Coalescer } from '../../../shared/batching/coalescer.js';
import { takingInTurn } from '../../../shared/batching/take-in-turn.js';
import { notFound, tryAgain } from '../../../shared/errors.js';
import type { SubgraphContext } from '../../../shared/graphql/context.js';
import { FeedIndex } from '../../../shared/messaging/feed-index.js';
import type { Logger } from '../../../shared/observability/logger.js';
import { startWorker } from '../../../shared/runtime/worker.js';
import type { OrderApp } from '../../context.js';
import type { QueueNumbers, ReadQueues } from '../queue-numbers.js';
import type { SaleReads } from '../read-sales.js';
import { stateAt } from '../sale-state.js';
import { type SaleSnapshot, snapshotOf } from './sale-snapshot.js';

const lookEveryMs = 250;
/** How often a watched sale is read at the shop subgraph: its window may change, and it may be paused. */
const readEveryMs = 1000;
const openingsMax = 100;
/** Offers of one look; sales with more take turns. */
const offersPerLook = 5000;
const salesMax = 1000;
const feedsMaxDefault = 10_000;
const openMaxMs = 5000;

interface WatchedSale {
  readonly sale: SaleSummary;
  /** when it was read, by the clock of this process */
  readonly readAtMs: number;
  readonly stock: readonly SaleStock[];
  /** when the units were read, by the clock of this process */
  readonly stockAtMs: number;
  /** null: the sale has none */
  readonly queue: QueueNumbers | null;
  readonly snapshot: SaleSnapshot;
}

/** The reads of sales, and of their queues in the database of order. */
export type LiveReads = SaleReads & { readonly queues: ReadQueues };

/** The feeds of all subscribers to sales in this process. */
export interface SaleFeeds {
  /**
   * Opens a feed that begins with the present state of the sale.
   *
   * @throws `NOT_FOUND` for a sale that does not exist or is not published; `TRY_AGAIN` beyond 10,000 feeds or 1,000
   *   sales, and while shop or warehouse do not answer
   */
  open(saleId: string): Promise<AsyncIterableIterator<SaleSnapshot>>;
  /** number of open feeds */
  count(): number;
  stop(): Promise<void>;
}

export type SaleLiveApp = OrderApp & { readonly saleFeeds: SaleFeeds };
export type SaleLiveContext = SubgraphContext<SaleLiveApp>;

/**
 * While anybody listens, one request every 250 ms reads the units of all watched sales that are live or paused. Those
 * of others, and the sales themselves, are read once a second. In between the clock of shop's primary decides about
 * their state, as it was when they were read and has moved on since.
 */
export function createSaleFeeds(
  reads: LiveReads,
  logger: Logger,
  feedsMax = feedsMaxDefault,
): SaleFeeds {
  const index = new FeedIndex<SaleSnapshot, string>({
    kinds: 1,
    kindOf: () => 0,
    nameOf: (saleId) => saleId,
    topicOf: ({ id }) => id,
    keyOf: ({ id }) => id,
    feedsMax,
    rowsMax: feedsMax,
    feedRowsMax: 1,
  });
  const watched = new Map<string, WatchedSale>();
  const openings = new Coalescer<string, SaleSnapshot>(readNew, {
    inFlightMax: 1,
    batchMax: openingsMax,
    queueMax: feedsMax,
  });

  /** What was not read now stays as it was. */
  function update(
    id: string,
    read: {
      sale?: SaleSummary | undefined;
      stock?: readonly SaleStock[];
      queue?: QueueNumbers | undefined;
    },
  ) {
    const before = watched.get(id);
    const nowMs = performance.now();
    const { sale, readAtMs } = read.sale ? { sale: read.sale, readAtMs: nowMs } : (before ?? {});
    if (!sale || readAtMs === undefined) return undefined;
    const stock = read.stock ?? before?.stock ?? [];
    const stockAtMs = read.stock ? nowMs : (before?.stockAtMs ?? nowMs);
    const queue = sale.admission === 'QUEUED' ? (read.queue ?? before?.queue ?? null) : null;
    const units = { sale, stock, queue };
    const snapshot = snapshotOf(units, timeOf({ sale, readAtMs }), before?.snapshot);
    watched.set(id, { ...units, readAtMs, stockAtMs, snapshot });
    return snapshot;
  }

  async function readNew(requested: readonly string[]) {
    const ids = [...new Set(requested)];
    const [sales, stock] = await Promise.all([reads.sales(ids), reads.stock(ids)]);
    const queues = await readQueues([...sales.values()]);
    return requested.map((id) => {
      const sale = sales.get(id);
      if (!sale) return notFound('sale', id);
      const queue = queues.get(id);
      return update(id, { sale, stock: stock.get(id) ?? [], queue }) as SaleSnapshot;
    });
  }

  async function readQueues(sales: readonly SaleSummary[]) {
    const queued = sales.filter(({ admission }) => admission === 'QUEUED');
    return queued.length > 0 ? reads.queues(queued.map(({ id }) => id)) : new Map();
  }

  const takeDue = takingInTurn(
    offersPerLook,
    () => withDueUnits(watched),
    ({ sale }) => sale.offers.length,
  );
  async function look(): Promise<void> {
    for (const id of watched.keys()) if (!index.topic(id)) watched.delete(id);
    if (watched.size === 0) return;
    const staleAtMs = performance.now() - readEveryMs;
    const stale = [...watched.values()].filter(({ readAtMs }) => readAtMs <= staleAtMs);
    const due = takeDue();
    const [sales, stock, queues] = await Promise.all([
      reads.sales(idsOf(stale)).catch((error) => failed(error)),
      reads.stock(idsOf(due)).catch((error) => failed(error)),
      readQueues(due.map(({ sale }) => sale)).catch((error) => failed(error)),
    ]);
    const changed: SaleSnapshot[] = [];
    for (const [id, { snapshot: before }] of watched) {
      const units = stock?.get(id);
      const read = { sale: sales?.get(id), queue: queues?.get(id) };
      const after = update(id, { ...read, ...(units && { stock: units }) });
      if (after && after !== before) changed.push(after);
    }
    await index.deliver(changed);
  }
  function failed(error: unknown): undefined {
    logger.debug({ err: error }, 'sale refresh failed');
  }
  const worker = startWorker('refresh sale feeds', lookEveryMs, logger, look);

  return {
    async open(saleId) {
      if (watched.size >= salesMax && !watched.has(saleId)) throw tooMany();
      const feed = index.open([saleId]);
      try {
        const snapshot =
          watched.get(saleId)?.snapshot ?? (await openings.submit(saleId, openMaxMs));
        await index.load(feed, [snapshot]);
        return feed;
      } catch (error) {
        await feed.return();
        throw error;
      }
    },
    count: () => index.size,
    async stop() {
      await worker.stop();
      index.closeAll();
    },
  };
}

/** The present time by the clock of shop's primary, in ms; early by the time that the answer took. */
const timeOf = ({ sale, readAtMs }: Pick<WatchedSale, 'sale' | 'readAtMs'>) =>
  Date.parse(sale.decidedAt) + performance.now() - readAtMs;

/** Sales whose units may have changed: those of one that does not sell are read once a second. */
function* withDueUnits(watched: ReadonlyMap<string, WatchedSale>): Generator<WatchedSale> {
  for (const each of watched.values()) {
    const state = stateAt(each.sale, timeOf(each));
    const sells = state === 'LIVE' || state === 'PAUSED';
    if (sells || performance.now() - each.stockAtMs >= readEveryMs) yield each;
  }
}

const idsOf = (sales: readonly WatchedSale[]) => sales.map(({ sale }) => sale.id);

const tooMany = () => tryAgain('Too many open subscriptions. Try again later.');
