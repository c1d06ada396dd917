import { endSale, lineOf, putInSale, requestOf, saleStock } from '../../../tests/harness/sales.js';
import { openStockCount } from '../../../tests/harness/stock-counts.js';
import { openStock, stockUp, type TestStock } from '../../../tests/harness/stock-engine.js';
import { openImports } from '../../../tests/harness/stock-files.js';
import { setWarehouseActive } from '../activation/set-warehouse-active.js';
import { submitStockCount } from '../count/submit-stock-count.js';
import { reserveStock, type StockEngine } from '../reservation/engine.js';
import { receiveStock } from '../stock/receive-stock.js';
import { setStockBuffer } from '../stock/set-stock-buffer.js';
import { countItemsBelowFence } from '../stock/stock-item.js';
import { dispatchTransfer, transferStock } from '../transfer/transfer-stock.js';
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

  it('runs out in its sale with the last unit that is taken from it, and comes back with the first', async () => {
    const { put } = openImports(stock, engine);
    const inSaleOf = async ({ sku }: { sku: string }) => {
      const [row] = await stock.query<{ inSale: boolean }>(
        `select payload ? 'saleInStock' as "inSale" from outbox where payload->>'sku' = $1
         order by version desc limit 1`,
        [sku],
      );
      return row?.inSale;
    };
    const closed = await inSale([4]);
    for (const active of [false, true]) {
      await setWarehouseActive(engine, closed.warehouses[0] as Warehouse, active, 'test');
      expect(await inSaleOf(closed)).toBe(active);
    }
    const counted = await inSale([4]);
    for (const units of [0, 3]) {
      const csv = `sku,quantity\n${counted.sku},${units}\n`;
      await put(counted.warehouses[0] as Warehouse, csv);
      expect(await inSaleOf(counted)).toBe(units > 0);
    }
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

  /** Each takes units until 3 are left of the 4 that are set aside. */
  describe('and of which another change leaves fewer', () => {
    const actor = 'test';
    const places = ({ warehouses }: Awaited<ReturnType<typeof inSale>>) =>
      warehouses as [Warehouse, Warehouse];
    type Change = (key: Awaited<ReturnType<typeof inSale>>) => Promise<unknown>;
    const changes: [string, Change][] = [
      [
        'a stock count',
        async (key) => {
          const [warehouse] = places(key);
          const countId = await openStockCount(stock, warehouse.id, [key.sku]);
          const lines = [{ sku: key.sku, quantity: 3 }];
          return submitStockCount(engine, { countId, warehouse, lines, actor });
        },
      ],
      [
        'a buffer',
        (key) => setStockBuffer(engine, { warehouse: places(key)[0], sku: key.sku, buffer: 2 }),
      ],
      [
        'a transfer to a closed warehouse',
        async (key) => {
          const [from, to] = places(key);
          await setWarehouseActive(engine, to, false, actor);
          const lines = [{ sku: key.sku, quantity: 2 }];
          return transferStock(engine, { from, to, lines, actor });
        },
      ],
      [
        'a transfer that is on its way',
        (key) => {
          const [from, to] = places(key);
          const lines = [{ sku: key.sku, quantity: 2 }];
          return dispatchTransfer(engine, { from, to, lines, actor });
        },
      ],
    ];

    it.each(changes)(
      '%s is done, the sale sells what there is, and it is reported',
      async (_, change) => {
        const key = await stockUp(engine, [5, 0]);
        const { saleId } = await putInSale(engine, key, 4);
        const reserve = async (quantity: number, ofSale?: string) =>
          (await reserveStock(engine, requestOf(lineOf(key, quantity, ofSale)))).state;
        const itemsBelow = () => countItemsBelowFence(engine.orm.em.fork());
        const before = await itemsBelow();
        await change(key);
        expect(await itemsBelow()).toBe(before + 1);
        expect(await saleStock(engine, saleId)).toMatchObject({ allocated: 4, remaining: 3 });
        expect(await reserve(1)).toBe('SHORT');
        expect(await reserve(4, saleId)).toBe('SHORT');
        expect(await reserve(3, saleId)).toBe('HELD');
        expect(await itemsBelow()).toBe(before + 1);
        await endSale(stock, key);
        expect(await itemsBelow()).toBe(before);
      },
    );
  });
});
