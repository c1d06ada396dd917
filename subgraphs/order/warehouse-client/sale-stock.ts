import type { SaleShortage } from '../../contracts/reservation.js';
import { type StockKey, stockKeyOf } from '../../contracts/stock-key.js';
import { isSoldOut, type SaleStock, saleStockOf } from '../../contracts/warehouse.js';
import type { ServiceClient } from '../../shared/http/service-client.js';

const defaultTimeoutMs = 4000;

/** What sales can still sell. */
export interface FoundSaleStock {
  /** @returns the units that are left, and why there are no more of them */
  find(saleId: string, key: StockKey): { available: number; saleShortage: SaleShortage };
}

/**
 * Read at the warehouse subgraph's primary, after this call.
 *
 * @throws `TRY_AGAIN`
 */
export async function readSaleStock(
  warehouse: ServiceClient,
  saleIds: readonly string[],
  timeoutMs = defaultTimeoutMs,
): Promise<FoundSaleStock> {
  const options = { timeoutMs, repeatable: true };
  const sales = saleIds.length > 0 ? await warehouse.call(saleStockOf, { saleIds }, options) : [];
  const lines = new Map(
    sales.flatMap((ofSale, n) =>
      ofSale.map((line) => [`${saleIds[n]} ${stockKeyOf(line)}`, line] as const),
    ),
  );
  return { find: (saleId, key) => toFound(lines.get(`${saleId} ${stockKeyOf(key)}`)) };
}

function toFound(line: SaleStock | undefined) {
  if (!line) return { available: 0, saleShortage: 'OVER' as const };
  return {
    available: line.remaining,
    saleShortage: isSoldOut(line) ? 'SOLD_OUT' : 'HELD',
  } as const;
}
