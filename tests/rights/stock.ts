import { place } from '../harness/people.js';
import type { actAs } from '../harness/vendor.js';

type Vendor = ReturnType<typeof actAs>;

interface Shop {
  readonly shopId: string;
  readonly sku: string;
  readonly warehouseIds: readonly string[];
}

const counted = 10;
// A warehouse may have 20. All viewers may get theirs at the same time.
const openCountsMax = 8;

/** Another warehouse of a shop with some units, counts of them, and a transfer to it. */
export async function createStock(vendor: Vendor, { shopId, sku, warehouseIds }: Shop) {
  const created = { shopId, name: 'With an address', address: place };
  const { id } = await vendor.mutate('createWarehouse', 'CreateWarehouseInput', created, 'id');
  const warehouseId: string = id;
  const received = { warehouseId, sku, quantity: counted };
  const level = await vendor.mutate('receiveStock', 'ReceiveStockInput', received, 'id');

  const transferInput = { from: warehouseIds[0], to: warehouseId, lines: [{ sku, quantity: 1 }] };
  const newTransfer = async (): Promise<string> => {
    const selection = '... on StockTransfer { id }';
    const input = transferInput;
    return (await vendor.mutate('dispatchTransfer', 'TransferStockInput', input, selection)).id;
  };

  const openCount = async (): Promise<string> => {
    const input = { warehouseId, skus: [sku] };
    return (await vendor.mutate('openStockCount', 'OpenStockCountInput', input, 'id')).id;
  };
  const cancelCount = 'mutation ($id: UUID!) { cancelStockCount(id: $id) { __typename } }';
  const newest: string[] = [];
  const newStockCount = async (): Promise<string> => {
    if (newest.length === openCountsMax) await vendor.must(cancelCount, { id: newest.shift() });
    const countId = await openCount();
    newest.push(countId);
    return countId;
  };
  const countLines = [{ sku, quantity: counted }];
  const staleCountId = await openCount();
  const stockCountId = await openCount();
  const submission = { countId: stockCountId, lines: countLines };
  await vendor.mutate('submitStockCount', 'SubmitStockCountInput', submission, '__typename');

  return {
    warehouseId,
    stockLevelId: level.id as string,
    transferId: await newTransfer(),
    transferInput,
    /** one unit in transit between the vendor's warehouses */
    newTransfer,
    /** submitted */
    stockCountId,
    /** open, and opened before the submitted one */
    staleCountId,
    /** open; an earlier one is cancelled if there are many */
    newStockCount,
    countLines,
  };
}

const sold = 100;

/**
 * Receives units of a variant, has all of them bought, and loses one.
 *
 * @returns what loses one more, so that the shortfall of the level rises
 */
export async function createShortfall(
  vendor: Vendor,
  at: { readonly warehouseId: string; readonly sku: string },
  buy: (quantity: number) => Promise<unknown>,
) {
  const received = { ...at, quantity: sold };
  await vendor.mutate('receiveStock', 'ReceiveStockInput', received, 'id');
  await buy(sold);
  const lost = { ...at, delta: -1, reason: 'lost' };
  const loseUnit = () => vendor.mutate('adjustStock', 'AdjustStockInput', lost, '__typename');
  await loseUnit();
  return loseUnit;
}
