import { knownVariants, variantKey } from '../../contracts/product.js';
import { badInput } from '../../shared/errors.js';
import type { ServiceClient } from '../../shared/http/service-client.js';
import type { WarehouseContext } from '../context.js';
import type { Warehouse } from '../warehouse/warehouse.js';
import { StockLevel } from './stock-level.js';

const timeoutMs = 3000;

/**
 * Queries the product subgraph for the skus.
 *
 * @returns those that are no variants
 * @throws `TRY_AGAIN`
 */
export async function findUnknownSkus(product: ServiceClient, skus: readonly string[]) {
  if (skus.length === 0) return [];
  const of = skus.map(variantKey);
  const variants = await product.call(knownVariants, { of }, { timeoutMs, repeatable: true });
  return skus.filter((_, n) => !variants[n]);
}

/**
 * Checks that a sku is a variant. One that the warehouse has a level of was checked before.
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
