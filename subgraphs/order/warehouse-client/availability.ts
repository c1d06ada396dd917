import type { ServiceClient } from '../../shared/http/service-client.js';

export interface StockKey {
  readonly shopId: string;
  readonly sku: string;
}

const timeoutMs = 4000;

/** @returns the available units of each key, in the order of the keys. @throws `TRY_AGAIN` */
export async function readAvailable(
  warehouse: ServiceClient,
  keys: readonly StockKey[],
): Promise<number[]> {
  if (keys.length === 0) return [];
  const { availabilityOf } = await warehouse.call<{ availabilityOf: number[] }>(
    'query ($of: [StockKeyInput!]!) { availabilityOf(of: $of) }',
    { of: keys.map(({ shopId, sku }) => ({ shopId, sku })) },
    { timeoutMs, repeatable: true },
  );
  return availabilityOf;
}
