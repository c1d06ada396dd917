import type { EntityManager } from '@mikro-orm/postgresql';
import { LRUCache } from 'lru-cache';
import type { Logger } from '../../../shared/observability/logger.js';
import { startWorker } from '../../../shared/runtime/worker.js';
import type { SaleReads } from '../read-sales.js';
import { addCounts, type RefusalRow, readSaleLines } from './write-refusals.js';

const writeEveryMs = 1000;
/** Counters that wait to be written; refusals that would need more are not counted. */
const countersMax = 10_000;
/** Offers of sales whose shops are remembered. */
const knownMax = 20_000;
/** How long it is remembered that a sale does not have an offer: it may get it, or be published. */
const unknownForMs = 10_000;

interface SaleLine {
  readonly offerId: string;
  readonly saleId?: string | null | undefined;
}
/** An offer in one of its sales. */
export interface LineOfSale {
  readonly offerId: string;
  readonly saleId: string;
}

interface Counter {
  readonly lines: readonly LineOfSale[];
  /** the customer whose cart, which still has them, has more lines */
  readonly cartOf: string | null;
  readonly kind: string;
  readonly minute: Date;
  count: number;
}

/** Counts refused checkouts of sales. */
export interface RefusalCounters {
  /**
   * @param items null for the cart of the customer
   * @param kind the type of the refusal, or the code of the error
   * @param inSales offers with regular lines that are sold only in these sales
   */
  count(
    customerId: string,
    items: readonly SaleLine[] | null | undefined,
    kind: string,
    inSales?: readonly LineOfSale[],
  ): void;
  /** Writes what was counted, and stops. */
  stop(): Promise<void>;
}

export interface CountingApp {
  readonly refusals: RefusalCounters;
}

/**
 * Counts in memory, and adds to the rows of the database once a second: a crash loses the last second. A checkout
 * counts once for each shop in each sale that it has lines of, or offers of that are sold only in it. A sale that does
 * not have the offer is not counted, so that clients cannot add rows without limit.
 */
export function createRefusalCounters(
  em: EntityManager,
  reads: SaleReads,
  logger: Logger,
  unknownMaxMs = unknownForMs,
): RefusalCounters {
  const counters = new Map<string, Counter>();
  /** sale and offer → the shop; null: the sale does not have the offer */
  const shops = new LRUCache<string, { readonly shopId: string | null }>({ max: knownMax });

  async function write(): Promise<void> {
    if (counters.size === 0) return;
    const taken = [...counters];
    counters.clear();
    try {
      const counted = taken.map(([, counter]) => counter);
      const carts = await linesOfCarts(em, counted);
      const withLines = counted.map((counter) => {
        const ofCart = (counter.cartOf && carts.get(counter.cartOf)) || [];
        return { ...counter, lines: [...counter.lines, ...ofCart] };
      });
      const lines = withLines.flatMap((each) => each.lines);
      await learnShops(reads, shops, lines, unknownMaxMs);
      await addCounts(
        em.fork(),
        withLines.flatMap((counter) => toRows(counter, shops)),
      );
    } catch (error) {
      logger.debug({ err: error }, 'refusals of sales were not written');
      for (const [key, { count, ...counter }] of taken) add(key, counter, count);
    }
  }
  const worker = startWorker('count refusals of sales', writeEveryMs, logger, write);

  function add(key: string, counter: Omit<Counter, 'count'>, count: number): void {
    const known = counters.get(key);
    if (known) known.count += count;
    else if (counters.size < countersMax) counters.set(key, { ...counter, count });
  }

  return {
    count(customerId, items, kind, inSales = []) {
      const cartOf = items ? null : customerId;
      const lines = [...(items ?? []).flatMap(inSale), ...inSales];
      if (lines.length === 0 && !cartOf) return;
      const minute = new Date(Math.floor(Date.now() / 60_000) * 60_000);
      const names = lines.map(nameOf).toSorted().join();
      const key = `${cartOf ?? ''} ${names} ${kind} ${minute.getTime()}`;
      add(key, { lines, cartOf, kind, minute }, 1);
    },
    async stop() {
      await worker.stop();
      await write();
    },
  };
}

const inSale = ({ offerId, saleId }: SaleLine): LineOfSale[] =>
  saleId ? [{ offerId, saleId }] : [];
const nameOf = ({ saleId, offerId }: LineOfSale) => `${saleId} ${offerId}`;

async function linesOfCarts(
  em: EntityManager,
  counters: readonly Counter[],
): Promise<Map<string, LineOfSale[]>> {
  const customerIds = new Set(counters.flatMap(({ cartOf }) => cartOf ?? []));
  if (customerIds.size === 0) return new Map();
  const rows = await readSaleLines(em.fork(), [...customerIds]);
  return Map.groupBy(rows, ({ customerId }) => customerId);
}

type Shops = LRUCache<string, { readonly shopId: string | null }>;

async function learnShops(
  reads: SaleReads,
  shops: Shops,
  lines: readonly LineOfSale[],
  unknownMaxMs: number,
): Promise<void> {
  const unknown = lines.filter((line) => !shops.has(nameOf(line)));
  if (unknown.length === 0) return;
  const sales = await reads.sales(unknown.map(({ saleId }) => saleId));
  for (const line of unknown) {
    const offer = sales.get(line.saleId)?.offers.find(({ offerId }) => offerId === line.offerId);
    const shopId = offer?.shopId ?? null;
    shops.set(nameOf(line), { shopId }, shopId ? {} : { ttl: unknownMaxMs });
  }
}

function toRows({ lines, kind, minute, count }: Counter, shops: Shops): RefusalRow[] {
  const rows = lines.flatMap((line) => {
    const shopId = shops.get(nameOf(line))?.shopId;
    return shopId ? [{ sale_id: line.saleId, minute, kind, shop_id: shopId, count }] : [];
  });
  const distinct = new Map(rows.map((row) => [`${row.sale_id} ${row.shop_id}`, row]));
  return [...distinct.values()];
}
