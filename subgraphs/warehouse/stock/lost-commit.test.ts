import { startPostgresProxy } from '../../../tests/harness/postgres-proxy.js';
import { openStockCount } from '../../../tests/harness/stock-counts.js';
import { openStock, stockUp, type TestStock } from '../../../tests/harness/stock-engine.js';
import { setWarehouseActive } from '../activation/set-warehouse-active.js';
import { submitStockCount } from '../count/submit-stock-count.js';
import { lockById } from '../locks.js';
import { releaseReservation, type StockEngine } from '../reservation/engine.js';
import { Warehouse } from '../warehouse/warehouse.js';
import { adjustStock } from './adjust-stock.js';
import { moveStock } from './move-stock.js';
import { setStockBuffer } from './set-stock-buffer.js';

/** What a request moves or sets: a shop with 5 units, and whether the request is stored. */
interface Case {
  run(engine: StockEngine, shop: Shop): Promise<unknown>;
  /** SQL, by the shop as $1 */
  readonly stored: string;
}
type Shop = Awaited<ReturnType<typeof stockUp>>;
const warehouseOf = ({ warehouses }: Shop) => warehouses[0] as Warehouse;
const actor = 'test';

describe('a transaction that writes no movement, whose COMMIT was not answered', () => {
  let stock: TestStock;
  beforeAll(async () => {
    stock = await openStock();
  });
  afterAll(() => stock.close());

  const cases: Record<string, Case> = {
    'a warehouse is deactivated': {
      run: (engine, shop) => setWarehouseActive(engine, warehouseOf(shop), false, actor),
      stored: 'from warehouse where shop_id = $1 and not active',
    },
    'a buffer is set': {
      run: (engine, shop) =>
        setStockBuffer(engine, { warehouse: warehouseOf(shop), sku: shop.sku, buffer: 2 }),
      stored: 'from stock_level where shop_id = $1 and buffer = 2',
    },
    'an order without a reservation is released': {
      run: (engine, { shopId }) => {
        return releaseReservation(engine, { orderId: shopId, reason: 'ABANDONED' });
      },
      stored: `from reservation where order_id = $1 and state = 'RELEASED'`,
    },
    'a count of what was expected is submitted': {
      async run(engine, shop) {
        const warehouse = warehouseOf(shop);
        const countId = await openStockCount(stock, warehouse.id, [shop.sku]);
        const lines = [{ sku: shop.sku, quantity: 5 }];
        return submitStockCount(engine, { countId, warehouse, lines, actor });
      },
      stored: `from stock_count where shop_id = $1 and status = 'SUBMITTED'`,
    },
    'a level is set to the units that it has': {
      run(engine, shop) {
        const units = { expectedOnHand: 5, setTo: 5 };
        const about = { warehouse: warehouseOf(shop), sku: shop.sku, reason: 'counted', actor };
        return adjustStock(engine, { ...units, ...about });
      },
      stored: 'from stock_level where shop_id = $1 and counted_at is not null',
    },
  };
  const isStored = async ({ stored }: Case, { shopId }: Shop) =>
    (await stock.query(`select ${stored}`, [shopId])).length === 1;

  describe('where a standby took over without it, and gave its id to another one', () => {
    beforeAll(() =>
      stock.query(`create schema standby;
        create function standby.pg_xact_status(xid8) returns text
          language sql as $$ select 'committed' $$;
        do $$ begin execute
          format('alter database %I set search_path = standby, pg_catalog, public', current_database());
        end $$`),
    );
    afterAll(() =>
      stock.query(`do $$ begin execute
        format('alter database %I reset search_path', current_database());
        end $$`),
    );

    it.each(Object.entries(cases))('runs again: %s', async (_, each) => {
      const proxy = await startPostgresProxy(stock.url);
      const engine = await stock.engine({ databaseUrl: proxy.url });
      const shop = await stockUp(engine, [5]);
      proxy.cutNextCommit('before it reaches PostgreSQL');
      await each.run(engine, shop);
      expect(proxy.cuts()).toBe(1);
      expect(await isStored(each, shop)).toBe(true);
      await proxy.stop();
    });
  });

  it.each(Object.entries(cases))('is answered as if nothing had happened: %s', async (_, each) => {
    const proxy = await startPostgresProxy(stock.url);
    const engine = await stock.engine({ databaseUrl: proxy.url });
    const [before, shop] = [await stockUp(engine, [5]), await stockUp(engine, [5])];
    const plain = await each.run(engine, before);
    proxy.cutNextCommit('after PostgreSQL has committed');
    const answered = await each.run(engine, shop);
    expect(proxy.cuts()).toBe(1);
    expect(Object.keys(answered as object)).toEqual(Object.keys(plain as object));
    expect(await isStored(each, shop)).toBe(true);
    await proxy.stop();
  });

  it('runs again if nothing proves that it was committed', async () => {
    const proxy = await startPostgresProxy(stock.url);
    const engine = await stock.engine({ databaseUrl: proxy.url });
    const { warehouses } = await stockUp(engine, [1]);
    for (const isStored of [null, async () => false]) {
      let runs = 0;
      proxy.cutNextCommit('after PostgreSQL has committed');
      await moveStock(
        engine,
        async (em) => {
          runs += 1;
          await lockById(em, Warehouse, warehouses[0] as Warehouse);
        },
        { isStored },
      );
      expect(runs).toBe(2);
    }
    expect(proxy.cuts()).toBe(2);
    await proxy.stop();
  });
});
