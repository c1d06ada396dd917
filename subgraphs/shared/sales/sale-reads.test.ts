import type { Call } from '../../contracts/call.js';
import { type SaleKey, saleKeysPerCall, salesPerCall } from '../../contracts/sale.js';
import type { SaleStock } from '../../contracts/warehouse.js';
import { tryAgain } from '../errors.js';
import type { ServiceClient } from '../http/service-client.js';
import { newId } from '../ids.js';
import { readSaleStock, readSaleUnits } from './sale-reads.js';

/** A warehouse that has units of every second key, and of every second sale. */
function openWarehouse() {
  const parts: number[] = [];
  const stockOf = (sku: string): SaleStock => {
    return { shopId, sku, allocated: 9, held: 1, sold: 2, remaining: 6 };
  };
  const client = {
    call: async (
      { field }: Call<object, unknown>,
      given: { of?: readonly SaleKey[]; saleIds?: readonly string[] },
    ) => {
      parts.push((given.of ?? given.saleIds ?? []).length);
      if (field === 'saleUnitsOf') {
        return given.of?.map(({ sku }) => (Number(sku) % 2 === 0 ? stockOf(sku) : null));
      }
      return given.saleIds?.map((id) => (Number(id) % 2 === 0 ? [stockOf(id)] : []));
    },
  };
  return { parts, client: client as unknown as ServiceClient };
}
const [shopId, saleId] = [newId(), newId()];
const keysOf = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ saleId, shopId, sku: String(n) }));

describe('units of sales that are read at the warehouse', () => {
  it.each([
    [0, []],
    [1, [1]],
    [saleKeysPerCall, [saleKeysPerCall]],
    [saleKeysPerCall + 1, [saleKeysPerCall, 1]],
    [2 * saleKeysPerCall + 7, [saleKeysPerCall, saleKeysPerCall, 7]],
  ])(
    'are read for %d variants in calls of %j, and are in the order of the keys',
    async (count, calls) => {
      const { parts, client } = openWarehouse();
      const keys = keysOf(count).toReversed();
      const units = await readSaleUnits(client, keys);
      expect(parts).toEqual(calls);
      expect(units).toHaveLength(count);
      for (const [n, { sku }] of keys.entries()) {
        const isKnown = Number(sku) % 2 === 0;
        expect(units[n]).toEqual(isKnown ? expect.objectContaining({ sku, remaining: 6 }) : null);
      }
    },
  );

  it('are requested once for a key that is named twice, also by an object with more in it', async () => {
    const { parts, client } = openWarehouse();
    const [key] = keysOf(1) as [SaleKey];
    const named = { name: 'an offer', ...key };
    const units = await readSaleUnits(client, [key, named, { ...key, saleId: newId() }, key]);
    expect(parts).toEqual([2]);
    expect(units.map((each) => each?.sku)).toEqual(['0', '0', '0', '0']);
  });

  it.each([
    [1, [1]],
    [salesPerCall, [salesPerCall]],
    [2 * salesPerCall + 1, [salesPerCall, salesPerCall, 1]],
  ])('are read for all offers of %d sales in calls of %j', async (count, calls) => {
    const { parts, client } = openWarehouse();
    const ids = Array.from({ length: count }, (_, n) => String(n));
    const stock = await readSaleStock(client, [...ids, ...ids]);
    expect(parts).toEqual(calls);
    for (const id of ids) {
      const lines = stock.get(id)?.map(({ sku }) => sku);
      expect(lines).toEqual(Number(id) % 2 === 0 ? [id] : []);
    }
  });

  it('fail as a whole where one of the calls fails', async () => {
    const { parts, client } = openWarehouse();
    const { call } = client;
    client.call = ((...args: Parameters<typeof call>) =>
      parts.length === 1
        ? Promise.reject(tryAgain('not reachable'))
        : call(...args)) as typeof call;
    await expect(readSaleUnits(client, keysOf(saleKeysPerCall + 1))).rejects.toThrow(
      'not reachable',
    );
  });
});
