import type { SaleKey } from '../../contracts/sale.js';
import type { SaleStock } from '../../contracts/warehouse.js';
import type { BatchLoad } from '../../shared/graphql/context.js';
import { readSaleUnits } from '../../shared/sales/sale-reads.js';
import type { ShopContext } from '../context.js';

/** The units of offers in sales, null while the warehouse does not answer, and for one without an allocation. */
export const loadSaleStock: BatchLoad<SaleKey, SaleStock | null, ShopContext> = async (
  keys,
  { app, logger },
) => {
  try {
    return await readSaleUnits(app.warehouse, keys);
  } catch (error) {
    logger.warn({ reason: (error as Error).message }, 'stock of sales not read');
    return keys.map(() => null);
  }
};
