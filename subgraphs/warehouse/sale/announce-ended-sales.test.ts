import { endSale, lineOf, putInSale, requestOf } from '../../../tests/harness/sales.js';
import { openStock, stockUp, type TestStock } from '../../../tests/harness/stock-engine.js';
import type { StockKey } from '../../contracts/stock-key.js';
import { reserveStock, type StockEngine } from '../reservation/engine.js';
import { countItemsBelowFence } from '../stock/stock-item.js';
import { announceEndedSales } from './announce-ended-sales.js';

describe('the end of a sale', () => {
  let stock: TestStock;
  let engine: StockEngine;
  beforeAll(async () => {
    stock = await openStock();
    engine = await stock.engine();
  });
  beforeEach(() => stock.query('delete from outbox'));
  afterEach(() => stock.expectStockInvariants());
  afterAll(() => stock.close());

  const announce = (store = engine) => announceEndedSales(store, () => false);
  const events = () =>
    stock.query(
      `select version::int, (payload->>'inStock')::boolean as "inStock" from outbox
       where topic = 'warehouse.stock.changed' order by version`,
    );
  const versionOf = async ({ shopId, sku }: StockKey) => {
    const [item] = await stock.query<{ version: number }>(
      'select version from stock_item where shop_id = $1 and sku = $2',
      [shopId, sku],
    );
    return item?.version;
  };

  it('is sent once, whichever processes look for it', async () => {
    const key = await stockUp(engine, [5]);
    await putInSale(engine, key, 5);
    await announce();
    await endSale(stock, key);
    await Promise.all([announce(), announce(await stock.engine()), announce()]);
    expect(await events()).toEqual([
      { version: 1, inStock: true },
      { version: 2, inStock: false },
      { version: 3, inStock: true },
    ]);
    expect(await versionOf(key)).toBe(3);
  });

  it('is sent with the units that are left by then', async () => {
    const key = await stockUp(engine, [5]);
    await putInSale(engine, key, 5);
    await endSale(stock, key);
    await reserveStock(engine, requestOf(lineOf(key, 5)));
    await announce();
    expect((await events()).at(-1)).toMatchObject({ inStock: false });
  });

  it('is not sent for an item that another sale has by then', async () => {
    const key = await stockUp(engine, [5]);
    await putInSale(engine, key, 5);
    await endSale(stock, key);
    await putInSale(engine, key, 5);
    const version = await versionOf(key);
    await announce();
    expect(await versionOf(key)).toBe(version);
    expect((await events()).at(-1)).toMatchObject({ inStock: false });
  });

  it('is no longer counted among the items with fewer units than are set aside', async () => {
    const em = engine.orm.em.fork();
    const key = await stockUp(engine, [4]);
    await putInSale(engine, key, 4);
    expect(await countItemsBelowFence(em)).toBe(0);
    await stock.query('update stock_level set buffer = 1 where shop_id = $1', [key.shopId]);
    await stock.query('update stock_item set available = 3 where shop_id = $1', [key.shopId]);
    expect(await countItemsBelowFence(em)).toBe(1);
    await endSale(stock, key);
    expect(await countItemsBelowFence(em)).toBe(0);
  });
});
