import { type StockKey, stockKeyOf } from '../../contracts/stock-key.js';
import { Coalescer } from '../../shared/batching/coalescer.js';
import type { ServiceClient } from '../../shared/http/service-client.js';
import type { Logger } from '../../shared/observability/logger.js';
import type { ShortageLine } from '../cart/cart-refusals.js';
import { readAvailable } from '../warehouse-client/availability.js';

/** How long a SKU is looked up after it was refused; renewed by each look-up that finds it short. */
const rememberMs = 2000;
/** More are forgotten, the earliest first: their orders are written, and the reservation decides. */
const skusMax = 10_000;
const lookUpTimeoutMs = 1000;
/** `batchMax` is what one call of `availabilityOf` takes. */
const lookUpLimits = { batchMax: 1000, inFlightMax: 4, queueMax: 10_000 };

interface OrderedLine extends StockKey {
  readonly offerId: string;
  readonly quantity: number;
}

/**
 * The SKUs that this process saw refused a moment ago. A checkout of one of them looks up its stock
 * before its order is written, so that a sold-out offer costs no rows.
 */
export interface ShortSkus {
  /** Remembers SKUs that were refused. */
  add(keys: readonly StockKey[]): void;
  /**
   * Looks up the stock of a checkout if one of its SKUs was refused a moment ago. The warehouse subgraph
   * reads it at its primary after this call, so stock that has come back is found. Look-ups at the same
   * moment share a request.
   *
   * @returns the lines that are short; none if it was not looked up, or the look-up failed: then the
   *   reservation decides
   */
  findShort(lines: readonly OrderedLine[]): Promise<ShortageLine[]>;
}

export function createShortSkus(warehouse: ServiceClient, logger: Logger): ShortSkus {
  const refusedAtMs = new Map<string, number>();
  const lookUps = new Coalescer<StockKey, number>(async (keys) => {
    const byName = new Map(keys.map((key) => [stockKeyOf(key), key]));
    const units = await readAvailable(warehouse, [...byName.values()], lookUpTimeoutMs);
    const available = new Map([...byName.keys()].map((name, n) => [name, units[n] as number]));
    return keys.map((key) => available.get(stockKeyOf(key)) as number);
  }, lookUpLimits);

  function add(keys: readonly StockKey[]): void {
    for (const key of keys) {
      const name = stockKeyOf(key);
      refusedAtMs.delete(name); // so that the map has them in the order of their times
      refusedAtMs.set(name, performance.now());
    }
    for (const earliest of refusedAtMs.keys()) {
      if (refusedAtMs.size <= skusMax) break;
      refusedAtMs.delete(earliest);
    }
  }
  function wasRefused(key: StockKey): boolean {
    const atMs = refusedAtMs.get(stockKeyOf(key));
    return atMs !== undefined && performance.now() - atMs < rememberMs;
  }
  async function lookUp(lines: readonly OrderedLine[]): Promise<number[] | null> {
    try {
      return await Promise.all(lines.map((line) => lookUps.submit(line, lookUpTimeoutMs)));
    } catch (error) {
      logger.debug({ err: error }, 'stock look-up failed');
      return null;
    }
  }
  return {
    add,
    async findShort(lines) {
      if (!lines.some(wasRefused)) return [];
      const units = await lookUp(lines);
      if (!units) return [];
      const found = lines.map((line, n) => ({ ...line, available: units[n] as number }));
      const short = found.filter(({ available, quantity }) => available < quantity);
      add(short);
      return short.map(({ offerId, quantity, available }) => {
        return { offerId, requested: quantity, available };
      });
    },
  };
}
