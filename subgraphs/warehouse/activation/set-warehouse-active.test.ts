import pg from 'pg';
import { openStock, stockUp, type TestStock } from '../../../tests/harness/stock-engine.js';
import { eventually, someoneWaits } from '../../../tests/harness/wait.js';
import { newId } from '../../shared/ids.js';
import { releaseReservation, reserveStock } from '../reservation/engine.js';
import { type StockChanged, stockChannel } from '../signals/stock-signals.js';
import { receiveStock } from '../stock/receive-stock.js';
import type { Warehouse } from '../warehouse/warehouse.js';
import { setWarehouseActive } from './set-warehouse-active.js';

describe('a warehouse with many levels', () => {
  let stock: TestStock;
  beforeAll(async () => {
    stock = await openStock();
  });
  afterAll(() => stock.close());

  /** Creates a warehouse with 5 units of each of many skus. */
  async function open(skus: number) {
    const [id, shopId] = [newId(), newId()];
    await stock.query('insert into warehouse (id, shop_id, name) values ($1, $2, $3)', [
      id,
      shopId,
      'Large',
    ]);
    await stock.query(
      `with item as (
         insert into stock_item (shop_id, sku, available, version)
         select $2, 'SKU-' || n, 5, 1 from generate_series(1, $3::int) as n returning sku)
       insert into stock_level (id, warehouse_id, shop_id, sku, on_hand)
       select gen_random_uuid(), $1, $2, sku, 5 from item`,
      [id, shopId, skus],
    );
    return { id, shopId };
  }

  it('is deactivated, even if that takes longer than the pool’s limit for statements', async () => {
    const engine = await stock.engine();
    const { id, shopId } = await open(1);
    await stock.query(`create function be_slow() returns trigger as
      $$ begin perform pg_sleep(6.5); return null; end; $$ language plpgsql`);
    await stock.query(`create trigger slow after update on stock_item
      for each statement execute function be_slow()`);
    expect(await setWarehouseActive(engine, { shopId, id }, false, 'test')).toEqual({
      units: 5,
      reserved: 0,
    });
    await stock.query('drop trigger slow on stock_item');
    const items = await stock.query('select available from stock_item where shop_id = $1', [
      shopId,
    ]);
    expect(items).toEqual([{ available: 0 }]);
  });

  it('counts the units of a level that is inserted while it is being deactivated', async () => {
    const engine = await stock.engine();
    const { id, shopId } = await open(3);
    const inserting = new pg.Client({ connectionString: stock.url });
    // A separate connection: within a transaction pg_stat_activity does not change.
    const watcher = new pg.Client({ connectionString: stock.url });
    await Promise.all([inserting.connect(), watcher.connect()]);
    await inserting.query('begin');
    await inserting.query('select from warehouse where id = $1 for share', [id]);
    await inserting.query(
      `with item as (insert into stock_item (shop_id, sku, available) values ($2, 'NEW', 4))
       insert into stock_level (id, warehouse_id, shop_id, sku, on_hand)
       values (gen_random_uuid(), $1, $2, 'NEW', 4)`,
      [id, shopId],
    );
    const deactivated = setWarehouseActive(engine, { shopId, id }, false, 'test');
    await someoneWaits(watcher);
    await inserting.query('commit');
    await Promise.all([inserting.end(), watcher.end()]);
    expect(await deactivated).toEqual({ units: 19, reserved: 0 });
    const items = 'select sum(available)::int as units from stock_item where shop_id = $1';
    expect(await stock.query(items, [shopId])).toEqual([{ units: 0 }]);
  });

  it('is published in messages of at most 1,000 skus', async () => {
    const engine = await stock.engine();
    const { id, shopId } = await open(2500);
    const messages: StockChanged[][] = [];
    const listener = await stock.redisAt(0);
    listener.on('message', (_, message) => messages.push(JSON.parse(message)));
    await listener.subscribe(stockChannel);
    await setWarehouseActive(engine, { shopId, id }, false, 'test');
    await eventually(
      async () => messages.flat().length,
      (count) => count === 2500,
    );
    expect(messages.map(({ length }) => length)).toEqual([1000, 1000, 500]);
  });
});

describe('a warehouse', () => {
  let stock: TestStock;
  beforeAll(async () => {
    stock = await openStock();
  });
  afterAll(() => stock.close());

  it('is opened and closed while its stock is sold and received, without losing a unit', async () => {
    const engine = await stock.engine();
    const other = await stock.engine();
    const { shopId, sku, warehouses } = await stockUp(engine, [100, 100]);
    const [warehouse] = warehouses as [Warehouse];
    let isDone = false;
    const reserve = async (on: typeof engine) => {
      while (!isDone) {
        const lines = [{ shopId, sku, quantity: 1 }];
        const orderId = newId();
        await reserveStock(on, { orderId, lines, reserveForMs: 60_000 }).catch(() => {});
        await releaseReservation(on, { orderId, reason: 'BY_CUSTOMER' }).catch(() => {});
      }
    };
    const receive = async () => {
      for (let n = 0; !isDone; n++) {
        const receipt = { quantity: 1, reference: null, actor: 'test' };
        await receiveStock(other, { warehouse, sku: `${sku}-${n}`, ...receipt }).catch(() => {});
      }
    };
    const work = [reserve(engine), reserve(other), receive()];
    try {
      for (let n = 0; n < 20; n++) await setWarehouseActive(engine, warehouse, n % 2 === 1, 'test');
    } finally {
      isDone = true;
    }
    await Promise.all(work);
    await stock.expectStockInvariants();
  });
});
