import { type SaleSummary, salesById } from '../../contracts/shop.js';
import { type SaleStock, saleStockOf } from '../../contracts/warehouse.js';
import type { ServiceClient } from '../../shared/http/service-client.js';

/** Reads of sales at other subgraphs' primaries, 100 in a call. All throw `TRY_AGAIN`. */
export interface SaleReads {
  /** Published sales by id; unknown ids and drafts are left out. */
  sales(ids: readonly string[]): Promise<Map<string, SaleSummary>>;
  /** The units of sales by id; a sale without an allocation has none. */
  stock(ids: readonly string[]): Promise<Map<string, readonly SaleStock[]>>;
}

const options = { timeoutMs: 3000, repeatable: true };
const salesPerCall = 100;

export function createSaleReads(shop: ServiceClient, warehouse: ServiceClient): SaleReads {
  return {
    sales: (ids) =>
      inParts(ids, async (part) => {
        const found = await shop.call(salesById, { ids: part }, options);
        return found.map((sale) => [sale.id, sale] as const);
      }),
    stock: (ids) =>
      inParts(ids, async (part) => {
        const found = await warehouse.call(saleStockOf, { saleIds: part }, options);
        return part.map((id, n) => [id, found[n] ?? []] as const);
      }),
  };
}

async function inParts<T>(
  ids: readonly string[],
  read: (part: readonly string[]) => Promise<readonly (readonly [string, T])[]>,
): Promise<Map<string, T>> {
  const distinct = [...new Set(ids)];
  const found = new Map<string, T>();
  for (let at = 0; at < distinct.length; at += salesPerCall) {
    const part = await read(distinct.slice(at, at + salesPerCall));
    for (const [id, value] of part) found.set(id, value);
  }
  return found;
}
