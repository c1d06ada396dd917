import type { SaleShortage } from '../../contracts/reservation.js';
import type { SaleKey } from '../../contracts/sale.js';
import { type SaleUnits, saleShortageOf } from '../../contracts/warehouse.js';
import type { ServiceClient } from '../../shared/http/service-client.js';
import { readSaleUnits } from '../../shared/sales/sale-reads.js';

/** What a sale can still sell of a variant. */
export interface AvailableInSale {
  readonly available: number;
  /** why it cannot sell more */
  readonly saleShortage: SaleShortage;
}

/**
 * Read at the warehouse subgraph's primary, after this call; in the order of the keys.
 *
 * @throws `TRY_AGAIN`
 */
export async function readAvailableInSales(
  warehouse: ServiceClient,
  keys: readonly SaleKey[],
): Promise<AvailableInSale[]> {
  return (await readSaleUnits(warehouse, keys)).map(toAvailable);
}

const toAvailable = (units: SaleUnits | null): AvailableInSale => {
  return { available: units?.remaining ?? 0, saleShortage: saleShortageOf(units) };
};
