import type { StockKey } from '../../contracts/stock-key.js';
import { availabilityOf } from '../../contracts/warehouse.js';
import type { ServiceClient } from '../../shared/http/service-client.js';

const defaultTimeoutMs = 4000;

/**
 * Read at the warehouse subgraph's primary, after this call.
 *
 * @param keys at most 1,000
 * @returns the available units of each key, in the order of the keys
 * @throws `TRY_AGAIN`
 */
export async function readAvailable(
  warehouse: ServiceClient,
  keys: readonly StockKey[],
  timeoutMs = defaultTimeoutMs,
): Promise<number[]> {
  if (keys.length === 0) return [];
  const of = keys.map(({ shopId, sku }) => ({ shopId, sku }));
  return warehouse.call(availabilityOf, { of }, { timeoutMs, repeatable: true });
}
