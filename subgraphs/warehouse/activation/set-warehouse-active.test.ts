import { openStock, type TestStock } from '../../../tests/harness/stock-engine.js';
import { eventually } from '../../../tests/harness/wait.js';
import { newId } from '../../shared/ids.js';
import { type StockChanged, stockChannel } from '../signals/stock-signals.js';
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
    expect(await setWarehouseActive(engine, id, false)).toEqual({ units: 5, reserved: 0 });
    await stock.query('drop trigger slow on stock_item');
    const items = await stock.query('select available from stock_item where shop_id = $1', [
      shopId,
    ]);
    expect(items).toEqual([{ available: 0 }]);
  });

  it('is published in messages of at most 1,000 skus', async () => {
    const engine = await stock.engine();
    const { id } = await open(2500);
    const messages: StockChanged[][] = [];
    const listener = await stock.redisAt(0);
    listener.on('message', (_, message) => messages.push(JSON.parse(message)));
    await listener.subscribe(stockChannel);
    await setWarehouseActive(engine, id, false);
    await eventually(
      async () => messages.flat().length,
      (count) => count === 2500,
    );
    expect(messages.map(({ length }) => length)).toEqual([1000, 1000, 500]);
  });
});
