import { endSale, lineOf, putInSale, requestOf } from '../../../tests/harness/sales.js';
import { openStock, stockUp, type TestStock } from '../../../tests/harness/stock-engine.js';
import { openImports } from '../../../tests/harness/stock-files.js';
import { setWarehouseActive } from '../activation/set-warehouse-active.js';
import { reserveStock, type StockEngine } from '../reservation/engine.js';
import { receiveStock } from '../stock/receive-stock.js';
import type { Warehouse } from '../warehouse/warehouse.js';

/** Each of them writes what is in stock in statements of its own. */
describe('an item of which 4 units are set aside', () => {
  let stock: TestStock;
  let engine: StockEngine;
  beforeAll(async () => {
    stock = await openStock();
    engine = await stock.engine();
  });
  afterEach(() => stock.expectStockInvariants());
  afterAll(() => stock.close());

  async function inSale(units: readonly number[]) {
    const key = await stockUp(engine, units);
    await putInSale(engine, key, 4);
    await stock.query('delete from outbox');
    return key;
  }
  const events = async () => {
    const rows = await stock.query<{ inStock: boolean }>(
      `select (payload->>'inStock')::boolean as "inStock" from outbox
       where topic = 'warehouse.stock.changed' order by version`,
    );
    return rows.map(({ inStock }) => inStock);
  };

  it('comes into regular stock by a file that has more than these, and runs out by one that has not', async () => {
    const { put } = openImports(stock, engine);
    const key = await inSale([4]);
    const file = (units: number) =>
      put(key.warehouses[0] as Warehouse, `sku,quantity\n${key.sku},${units}\n`);
    await file(3);
    await file(4);
    expect(await events()).toEqual([]);
    await file(5);
    expect(await events()).toEqual([true]);
    await file(2);
    expect(await events()).toEqual([true, false]);
    await endSale(stock, key);
    await file(1);
    expect(await events()).toEqual([true, false]);
    await file(0);
    expect(await events()).toEqual([true, false, false]);
  });

  it('runs out of regular stock with a warehouse that is closed, and comes back with it', async () => {
    const key = await inSale([4, 2]);
    const setActive = (active: boolean) =>
      setWarehouseActive(engine, key.warehouses[1] as Warehouse, active, 'test');
    await setActive(false);
    expect(await events()).toEqual([false]);
    await setActive(true);
    expect(await events()).toEqual([false, true]);
    const more = await inSale([4, 2]);
    await endSale(stock, more);
    await setWarehouseActive(engine, more.warehouses[1] as Warehouse, false, 'test');
    expect(await events()).toEqual([]);
  });

  it('comes into regular stock by a delivery beyond these', async () => {
    const key = await inSale([4]);
    const [warehouse] = key.warehouses as [Warehouse];
    const receipt = { warehouse, sku: key.sku, quantity: 1, reference: null, actor: 'test' };
    await receiveStock(engine, receipt);
    expect(await events()).toEqual([true]);
    expect((await reserveStock(engine, requestOf(lineOf(key, 1)))).state).toBe('HELD');
    expect(await events()).toEqual([true, false]);
  });
});
