import type { ReserveLine, ReserveRequest } from '../../subgraphs/contracts/reservation.js';
import type { StockKey } from '../../subgraphs/contracts/stock-key.js';
import type { RefusedAllocation, SaleStock } from '../../subgraphs/contracts/warehouse.js';
import { newId } from '../../subgraphs/shared/ids.js';
import { allocateSale } from '../../subgraphs/warehouse/sale/allocate-sale.js';
import { readSaleStock } from '../../subgraphs/warehouse/sale/read-sale-stock.js';
import type { StockStore } from '../../subgraphs/warehouse/stock/stock-store.js';
import type { TestStock } from './stock-engine.js';

const hourMs = 3_600_000;
let revision = 0;

export interface TestAllocation {
  readonly saleId?: string;
  /** from now */
  readonly endsInMs?: number;
  readonly endsAt?: string;
}

/** Allocates units of one key to a sale; no units: it is cancelled. @returns the sale, and what was refused */
export async function putInSale(
  store: StockStore,
  { shopId, sku }: StockKey,
  units: number | null,
  { saleId = newId(), endsInMs = hourMs, endsAt }: TestAllocation = {},
): Promise<{ saleId: string; refused: readonly RefusedAllocation[] }> {
  revision += 1;
  const lines = units === null ? [] : [{ sku, units }];
  const end = endsAt ?? new Date(Date.now() + endsInMs).toISOString();
  const { refused } = await allocateSale(store, { saleId, shopId, revision, endsAt: end, lines });
  return { saleId, refused };
}

export const lineOf = (
  { shopId, sku }: StockKey,
  quantity: number,
  saleId?: string,
): ReserveLine => ({ shopId, sku, quantity, ...(saleId && { saleId }) });

export const requestOf = (...lines: readonly ReserveLine[]): ReserveRequest => {
  return { orderId: newId(), lines, reserveForMs: hourMs };
};

/** Ends the sale of an item by PostgreSQL’s clock, so many milliseconds ago. */
export const endSale = (stock: TestStock, { shopId, sku }: StockKey, agoMs = 0) =>
  stock.query(
    `update stock_item set set_aside_until = clock_timestamp() - $3 * interval '1 ms',
       end_due_at = clock_timestamp() - $3 * interval '1 ms'
     where shop_id = $1 and sku = $2`,
    [shopId, sku, agoMs],
  );

/** The units of a sale of one key. */
export async function saleStock(store: StockStore, saleId: string): Promise<SaleStock | undefined> {
  const [lines] = await readSaleStock(store.orm.em.fork(), [saleId]);
  return lines?.[0];
}
