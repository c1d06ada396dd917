import { type StockKey, stockKeyOf } from '../../contracts/stock-key.js';
import { Coalescer } from '../../shared/batching/coalescer.js';
import type { ServiceClient } from '../../shared/http/service-client.js';
import type { Logger } from '../../shared/observability/logger.js';
import type { ShortageLine } from '../cart/cart-refusals.js';
import { readAvailable } from '../warehouse-client/availability.js';

/** How long a refusal is remembered; renewed by each look-up that finds the SKU short. */
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

/** A SKU that was refused, and the units that were left of it. */
interface Refused extends StockKey {
  readonly available: number;
}

/**
 * The SKUs that this process saw refused a moment ago. A checkout of more units than were left looks up
 * its stock before its order is written, so that a sold-out offer costs no rows.
 */
export interface ShortSkus {
  /** Remembers SKUs that were refused. */
  add(refused: readonly Refused[]): void;
  /**
   * Looks up the stock of a checkout if it asks for more of a SKU than was left a moment ago. The warehouse subgraph
   * reads it at its primary after this call, so stock that has come back is found. Look-ups at the same
   * moment share a request.
   *
   * @returns the lines that are short; none if it was not looked up, or the look-up failed: then the
   *   reservation decides
   */
  findShort(lines: readonly OrderedLine[]): Promise<ShortageLine[]>;
}

export function createShortSkus(warehouse: ServiceClient, logger: Logger): ShortSkus {
  const remembered = new Map<string, { readonly atMs: number; readonly available: number }>();
  const lookUps = new Coalescer<StockKey, number>(async (keys) => {
    const byName = new Map(keys.map((key) => [stockKeyOf(key), key]));
    const units = await readAvailable(warehouse, [...byName.values()], lookUpTimeoutMs);
    const available = new Map([...byName.keys()].map((name, n) => [name, units[n] as number]));
    return keys.map((key) => available.get(stockKeyOf(key)) as number);
  }, lookUpLimits);

  function add(refused: readonly Refused[]): void {
    for (const { available, ...key } of refused) {
      const name = stockKeyOf(key);
      remembered.delete(name); // so that the map has them in the order of their times
      remembered.set(name, { atMs: performance.now(), available });
    }
    for (const earliest of remembered.keys()) {
      if (remembered.size <= skusMax) break;
      remembered.delete(earliest);
    }
  }
  function wasRefused({ quantity, ...key }: OrderedLine): boolean {
    const last = remembered.get(stockKeyOf(key));
    return (
      last !== undefined && performance.now() - last.atMs < rememberMs && quantity > last.available
    );
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
