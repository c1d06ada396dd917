import { salesPerCall } from '../../contracts/sale.js';
import { type SaleSummary, salesById } from '../../contracts/shop.js';
import type { SaleStock } from '../../contracts/warehouse.js';
import type { ServiceClient } from '../../shared/http/service-client.js';
import { readInParts, readSaleStock } from '../../shared/sales/sale-reads.js';

/** Reads of sales at other subgraphs' primaries, 100 in a call. All throw `TRY_AGAIN`. */
export interface SaleReads {
  /** Published sales by id; unknown ids and drafts are left out. */
  sales(ids: readonly string[]): Promise<Map<string, SaleSummary>>;
  /** The units of sales by id; a sale without an allocation has none. */
  stock(ids: readonly string[]): Promise<Map<string, readonly SaleStock[]>>;
}

const options = { timeoutMs: 3000, repeatable: true };

export function createSaleReads(shop: ServiceClient, warehouse: ServiceClient): SaleReads {
  return {
    sales: (ids) =>
      readInParts([...new Set(ids)], salesPerCall, async (part) => {
        const found = await shop.call(salesById, { ids: part }, options);
        return found.map((sale) => [sale.id, sale] as const);
      }),
    stock: (ids) => readSaleStock(warehouse, ids),
  };
}
