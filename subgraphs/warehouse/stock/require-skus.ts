import { knownVariants, variantKey } from '../../contracts/product.js';
import { badInput } from '../../shared/errors.js';
import type { ServiceClient } from '../../shared/http/service-client.js';
import type { WarehouseContext } from '../context.js';
import type { Warehouse } from '../warehouse/warehouse.js';
import { StockLevel } from './stock-level.js';

const timeoutMs = 3000;

/**
 * Asks the product subgraph which of the skus are no variants of any product.
 *
 * @throws `TRY_AGAIN`
 */
export async function findUnknownSkus(product: ServiceClient, skus: readonly string[]) {
  if (skus.length === 0) return [];
  const of = skus.map(variantKey);
  const variants = await product.call(knownVariants, { of }, { timeoutMs, repeatable: true });
  return skus.filter((_, n) => !variants[n]);
}

/**
 * A sku of which the warehouse has a level was known once, and stays; others are asked for.
 *
 * @throws `BAD_USER_INPUT` when there is no such variant; `TRY_AGAIN`
 */
export async function requireSku(
  { em, app }: WarehouseContext,
  { id: warehouseId }: Warehouse,
  sku: string,
): Promise<void> {
  if ((await em.count(StockLevel, { warehouseId, sku })) > 0) return;
  const unknown = await findUnknownSkus(app.product, [sku]);
  if (unknown.length > 0) throw badInput({ 'input.sku': `there is no variant ${sku}` });
}
