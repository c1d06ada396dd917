import { type SaleKey, saleKeysPerCall, salesPerCall } from '../../contracts/sale.js';
import { stockKeyOf } from '../../contracts/stock-key.js';
import {
  type SaleStock,
  type SaleUnits,
  saleStockOf,
  saleUnitsOf,
} from '../../contracts/warehouse.js';
import type { ServiceClient } from '../http/service-client.js';

const timeoutMs = 1000;
const options = { timeoutMs, repeatable: true };

const saleKeyOf = ({ saleId, ...key }: SaleKey) => `${saleId} ${stockKeyOf(key)}`;

/**
 * The units of variants in sales, read by their keys at the warehouse subgraph's primary, after this call; in the order
 * of the keys. Null for one without an allocation. What shows units treats an error as unknown units; what decides by
 * them passes it on.
 *
 * @throws `TRY_AGAIN` if the warehouse does not answer within 1 s
 */
export async function readSaleUnits(
  warehouse: ServiceClient,
  keys: readonly SaleKey[],
): Promise<(SaleUnits | null)[]> {
  const distinct = new Map(
    keys.map(({ saleId, shopId, sku }) => {
      const key = { saleId, shopId, sku };
      return [saleKeyOf(key), key] as const;
    }),
  );
  const found = await readInParts([...distinct], saleKeysPerCall, async (part) => {
    const units = await warehouse.call(saleUnitsOf, { of: part.map(([, key]) => key) }, options);
    return part.map(([name], n) => [name, units[n] ?? null] as const);
  });
  return keys.map((key) => found.get(saleKeyOf(key)) ?? null);
}

/**
 * All units of sales by their ids, read at the warehouse subgraph's primary; a sale without an allocation has none. For
 * a few variants `readSaleUnits` reads less.
 *
 * @throws `TRY_AGAIN` if the warehouse does not answer within 1 s
 */
export function readSaleStock(
  warehouse: ServiceClient,
  saleIds: readonly string[],
): Promise<Map<string, readonly SaleStock[]>> {
  return readInParts([...new Set(saleIds)], salesPerCall, async (part) => {
    const found = await warehouse.call(saleStockOf, { saleIds: part }, options);
    return part.map((id, n) => [id, found[n] ?? []] as const);
  });
}

/** Reads values by keys, so many of them in a call. */
export async function readInParts<K, V>(
  keys: readonly K[],
  partMax: number,
  read: (part: readonly K[]) => Promise<readonly (readonly [string, V])[]>,
): Promise<Map<string, V>> {
  const found = new Map<string, V>();
  for (let at = 0; at < keys.length; at += partMax) {
    const part = await read(keys.slice(at, at + partMax));
    for (const [name, value] of part) found.set(name, value);
  }
  return found;
}
