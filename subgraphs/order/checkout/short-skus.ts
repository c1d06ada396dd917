import type { SaleShortage, Shortage } from '../../contracts/reservation.js';
import { type StockKey, stockKeyOf } from '../../contracts/stock-key.js';
import { Coalescer } from '../../shared/batching/coalescer.js';
import type { ServiceClient } from '../../shared/http/service-client.js';
import type { Logger } from '../../shared/observability/logger.js';
import { readAvailable } from '../warehouse-client/availability.js';
import { readAvailableInSales } from '../warehouse-client/sale-stock.js';
import type { ShortLine } from './short-outcome.js';

/** How long a refusal is remembered; renewed by each look-up that finds the SKU short. */
const rememberMs = 2000;
/** More are forgotten, the earliest first: their orders are written, and the reservation decides. */
const skusMax = 10_000;
const lookUpTimeoutMs = 1000;
/** `batchMax` is what one call of `availabilityOf` takes. */
const lookUpLimits = { batchMax: 1000, inFlightMax: 4, queueMax: 10_000 };

/** Units of a SKU: regular ones, or those of one of its sales. */
interface Demand extends StockKey {
  readonly saleId?: string | null | undefined;
}
interface OrderedLine extends Demand {
  readonly offerId: string;
  readonly quantity: number;
}

/** A SKU that was refused, and the units that were left of it. */
type Refused = Demand & Pick<Shortage, 'available'>;

/** What was found of a SKU. */
interface Found {
  readonly available: number;
  /** of a sale */
  readonly saleShortage?: SaleShortage;
}

/**
 * The SKUs that this process saw refused a moment ago. A checkout of more units than were left looks up
 * its stock before its order is written, so that a sold-out offer costs no rows. The units of each sale of a SKU are
 * remembered by themselves.
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
  findShort(lines: readonly OrderedLine[]): Promise<ShortLine[]>;
}

const demandKeyOf = ({ saleId, ...key }: Demand) => `${stockKeyOf(key)} ${saleId ?? ''}`;

export function createShortSkus(warehouse: ServiceClient, logger: Logger): ShortSkus {
  const remembered = new Map<string, { readonly atMs: number; readonly available: number }>();
  const lookUps = new Coalescer<Demand, Found>(
    (demands) => lookUpAll(warehouse, demands),
    lookUpLimits,
  );

  function add(refused: readonly Refused[]): void {
    for (const { available, ...demand } of refused) {
      const name = demandKeyOf(demand);
      remembered.delete(name); // so that the map has them in the order of their times
      remembered.set(name, { atMs: performance.now(), available });
    }
    for (const earliest of remembered.keys()) {
      if (remembered.size <= skusMax) break;
      remembered.delete(earliest);
    }
  }
  function wasRefused(line: OrderedLine): boolean {
    const last = remembered.get(demandKeyOf(line));
    return (
      last !== undefined &&
      performance.now() - last.atMs < rememberMs &&
      line.quantity > last.available
    );
  }
  async function lookUp(lines: readonly OrderedLine[]): Promise<Found[] | null> {
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
      const found = lines.map((line, n) => ({ ...line, ...(units[n] as Found) }));
      const short = found.filter(({ available, quantity }) => available < quantity);
      add(short);
      return short.map(({ offerId, saleId, quantity, available, saleShortage }) => {
        const ofSale = saleId ? { saleId, saleShortage } : {};
        return { offerId, requested: quantity, available, ...ofSale };
      });
    },
  };
}

async function lookUpAll(warehouse: ServiceClient, demands: readonly Demand[]): Promise<Found[]> {
  const distinct = [...new Map(demands.map((each) => [demandKeyOf(each), each])).values()];
  const regular = distinct.filter(({ saleId }) => !saleId);
  const inSales = distinct.flatMap(({ saleId, ...key }) => (saleId ? { ...key, saleId } : []));
  const [available, availableInSales] = await Promise.all([
    readAvailable(warehouse, regular, lookUpTimeoutMs),
    readAvailableInSales(warehouse, inSales),
  ]);
  const found = new Map<string, Found>();
  for (const [n, each] of regular.entries())
    found.set(demandKeyOf(each), { available: available[n] as number });
  for (const [n, each] of inSales.entries())
    found.set(demandKeyOf(each), availableInSales[n] as Found);
  return demands.map((each) => found.get(demandKeyOf(each)) as Found);
}
