import { openStock, stockUp, type TestStock } from '../../../tests/harness/stock-engine.js';
import { newId } from '../../shared/ids.js';
import { reserveStock, type StockEngine } from '../reservation/engine.js';
import { readLevels } from './read-levels.js';

describe('the levels that a demand loads', () => {
  let stock: TestStock;
  let engine: StockEngine;
  beforeAll(async () => {
    stock = await openStock();
    engine = await stock.engine();
  });
  afterEach(() => stock.expectStockInvariants());
  afterAll(() => stock.close());

  /** The units on hand of the levels that a demand loads, in order of priority. */
  async function loaded(key: { shopId: string; sku: string }, quantity: number) {
    const demand = { shopId: key.shopId, sku: key.sku, quantity };
    const { levels } = await readLevels(engine.orm.em.fork(), [demand], { demands: [demand] });
    return levels.toSorted(([, a], [, b]) => a.priority - b.priority).map(([{ onHand }]) => onHand);
  }
  const numbers = (count: number, of: (n: number) => number) =>
    Array.from({ length: count }, (_, n) => of(n));

  it('are the first nine with units, in order of priority', async () => {
    const key = await stockUp(engine, [0, ...numbers(14, (n) => n + 1)]);
    expect(await loaded(key, 1)).toEqual(numbers(9, (n) => n + 1));
  });

  it('are as many as the demand needs', async () => {
    const key = await stockUp(
      engine,
      numbers(15, () => 1),
    );
    expect(await loaded(key, 13)).toHaveLength(13);
    expect(await loaded(key, 99)).toHaveLength(15);
  });

  it('include, as the tenth, the first that covers the demand by itself', async () => {
    const key = await stockUp(engine, [...numbers(12, () => 3), 20, 30]);
    expect(await loaded(key, 20)).toEqual([...numbers(9, () => 3), 20]);
  });

  it('leave out inactive warehouses, and those without units to sell', async () => {
    const { warehouseIds, ...key } = await stockUp(engine, [5, 6, 7, 8]);
    const [inactive, reserved, buffered] = warehouseIds;
    await stock.query('update warehouse set active = false where id = $1', [inactive]);
    const change = (what: string, id: string | undefined) =>
      stock.query(`update stock_level set ${what} where warehouse_id = $1`, [id]);
    await change('unavailable = 6', reserved);
    await change('buffer = 7', buffered);
    expect(await loaded(key, 1)).toEqual([8]);
    await change('unavailable = 0', reserved);
    await change('buffer = 0', buffered);
    await stock.query('update warehouse set active = true where id = $1', [inactive]);
  });

  it('are few in a shop with 20,000 warehouses, whose order another shop’s shares a batch with', async () => {
    const [large, other] = [await stockUp(engine, [1]), await stockUp(engine, [5])];
    await stock.query(
      `with opened as (
         insert into warehouse (id, shop_id, name, priority)
         select gen_random_uuid(), $1, 'W' || n, n from generate_series(1, 20000) as n returning id
       ), event as (
         insert into warehouse_event (shop_id, warehouse_id, id, type, actor)
         select $1, id, id, 'ACTIVATED', 'test' from opened
       ), level as (
         insert into stock_level (id, warehouse_id, shop_id, sku, on_hand, last_seq)
         select gen_random_uuid(), id, $1, $2, 1, 1 from opened returning id
       ), movement as (
         insert into stock_movement (shop_id, level_id, id, seq, type, on_hand_delta, reserved_delta,
           on_hand, reserved, committed, unavailable, actor, created_at)
         select $1, level.id, m.id, 1, 'RECEIPT', 1, 0, 1, 0, 0, 0, 'test',
           uuid_extract_timestamp(m.id)
         from level cross join lateral (select uuidv7() as id where level.id is not null) m)
       update stock_item set available = available + 20000 where shop_id = $1`,
      [large.shopId, large.sku],
    );
    for (const quantity of [1, 9]) expect(await loaded(large, quantity)).toHaveLength(9);
    await stock.query(
      `update stock_level set on_hand = 50 where id = (
         select l.id from stock_level l join warehouse w on w.id = l.warehouse_id
         where l.shop_id = $1 order by priority desc limit 1)`,
      [large.shopId],
    );
    expect(await loaded(large, 9)).toHaveLength(10);
    await stock.query('update stock_level set on_hand = 1 where shop_id = $1 and on_hand = 50', [
      large.shopId,
    ]);
    const reserve = ({ shopId, sku }: typeof large, quantity: number) =>
      reserveStock(engine, {
        orderId: newId(),
        lines: [{ shopId, sku, quantity }],
        reserveForMs: 60_000,
      });
    const outcomes = await Promise.all([reserve(large, 1), reserve(other, 1), reserve(large, 15)]);
    expect(outcomes.map(({ state }) => state)).toEqual(['HELD', 'HELD', 'HELD']);
  });
});
