import { type SaleStock, saleStockOf } from '../../contracts/warehouse.js';
import type { BatchLoad } from '../../shared/graphql/context.js';
import type { ShopContext } from '../context.js';

const timeoutMs = 1000;

export interface SaleStockKey {
  readonly saleId: string;
  readonly shopId: string;
  readonly sku: string;
}

/**
 * The units of offers in sales, in one call to the warehouse for all of a request; null for each while it does not
 * answer, and for an offer without an allocation.
 */
export const loadSaleStock: BatchLoad<SaleStockKey, SaleStock | null, ShopContext> = async (
  keys,
  { app, logger },
) => {
  const saleIds = [...new Set(keys.map(({ saleId }) => saleId))];
  const sales = await app.warehouse
    .call(saleStockOf, { saleIds }, { timeoutMs, repeatable: true })
    .catch((error: Error) => {
      logger.warn({ reason: error.message }, 'stock of sales not read');
      return null;
    });
  if (!sales) return keys.map(() => null);
  const found = new Map(
    sales.flatMap((lines, n) =>
      lines.map((line) => [`${saleIds[n]} ${line.shopId} ${line.sku}`, line] as const),
    ),
  );
  return keys.map(({ saleId, shopId, sku }) => found.get(`${saleId} ${shopId} ${sku}`) ?? null);
};
