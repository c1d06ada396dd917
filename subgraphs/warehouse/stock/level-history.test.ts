import { openStock, stockUp, type TestStock } from '../../../tests/harness/stock-engine.js';
import { lowestIdAt, newId, timeOfId } from '../../shared/ids.js';
import { releaseReservation, reserveStock, type StockEngine } from '../reservation/engine.js';
import { markUnavailable } from './mark-unavailable.js';
import { receiveStock } from './receive-stock.js';
import { recentIdAt, stockAt, stockAtSql } from './stock-at.js';

interface Entry {
  readonly id: string;
  readonly seq: string;
  readonly at: Date;
  readonly deltas: readonly number[];
  readonly balances: readonly number[];
}

describe('the history of a level', () => {
  let stock: TestStock;
  let engine: StockEngine;
  beforeAll(async () => {
    stock = await openStock();
    engine = await stock.engine();
  });
  afterAll(() => stock.close());

  const historyOf = (warehouseId: string) =>
    stock.query<Entry>(
      `select m.id, m.seq, m.created_at as at,
         array[on_hand_delta, reserved_delta, committed_delta, unavailable_delta] as deltas,
         array[m.on_hand, m.reserved, m.committed, m.unavailable] as balances
       from stock_movement m join stock_level l on l.shop_id = m.shop_id and l.id = m.level_id
       where l.warehouse_id = $1 order by m.id`,
      [warehouseId],
    );
  const lastSeqOf = async (warehouseId: string) => {
    const last = 'select last_seq from stock_level where warehouse_id = $1';
    const [row] = await stock.query<{ last_seq: string }>(last, [warehouseId]);
    return Number(row?.last_seq);
  };

  it('has no gap, and the balances after each movement, with two processes that move at once', async () => {
    const other = await stock.engine();
    const { shopId, sku, warehouses } = await stockUp(engine, [500]);
    const [warehouse] = warehouses as [(typeof warehouses)[number]];
    const use = async (process: StockEngine, n: number) => {
      const orderId = newId();
      const lines = [{ shopId, sku, quantity: 1 + (n % 3) }];
      await reserveStock(process, { orderId, lines, reserveForMs: 60_000 });
      if (n % 2) await releaseReservation(process, { orderId, reason: 'ABANDONED' });
      if (n % 5 === 0) {
        const receipt = { warehouse, sku, quantity: 2, reference: null, actor: 'test' };
        await receiveStock(process, receipt);
      }
    };
    await Promise.all(Array.from({ length: 60 }, (_, n) => use(n % 2 ? engine : other, n)));
    const history = await historyOf(warehouse.id);
    expect(history.map(({ seq }) => Number(seq))).toEqual(history.map((_, n) => n + 1));
    expect(await lastSeqOf(warehouse.id)).toBe(history.length);
    let before = [0, 0, 0, 0];
    for (const { id, at, deltas, balances } of history) {
      expect(balances).toEqual(before.map((units, n) => units + (deltas[n] as number)));
      expect(timeOfId(id)).toBe(at.getTime());
      before = [...balances];
    }
    const times = history.map(({ at }) => at.getTime());
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  it('never goes back in time, whatever a clock says', async () => {
    const { sku, warehouses } = await stockUp(engine, [5]);
    const [warehouse] = warehouses as [(typeof warehouses)[number]];
    const ahead = new Date(Date.now() + 3_600_000);
    await stock.query('update stock_level set updated_at = $2 where warehouse_id = $1', [
      warehouse.id,
      ahead,
    ]);
    const change = { warehouse, sku, delta: 1, reason: 'damaged', actor: 'test' };
    await markUnavailable(engine, change);
    await markUnavailable(engine, { ...change, delta: -1 });
    expect((await historyOf(warehouse.id)).slice(1)).toMatchObject([{ at: ahead }, { at: ahead }]);
  });

  it('shows the units at each time: those after the last movement of that millisecond', async () => {
    const shop = await stockUp(engine, [5]);
    const [warehouse] = shop.warehouses as [(typeof shop.warehouses)[number]];
    for (const quantity of [1, 2, 3]) {
      await receiveStock(engine, { ...shop, warehouse, quantity, reference: null, actor: 'test' });
    }
    const unitsAt = async (ms: number) => {
      const request = { ...shop, warehouseId: warehouse.id, at: new Date(ms) };
      return (await stockAt(engine.orm.em.fork(), request)).onHand;
    };
    const history = await historyOf(warehouse.id);
    const firstMs = history[0]?.at.getTime() as number;
    expect(await unitsAt(firstMs - 1)).toBe(0);
    for (const { at } of history) {
      const last = history.findLast((each) => each.at.getTime() === at.getTime());
      expect(await unitsAt(at.getTime())).toBe(last?.balances[0]);
    }
    expect(await unitsAt(Date.now() + 1000)).toBe(11);
  });

  it('is read at a time by one entry of an index, however long it is', async () => {
    const { shopId, sku, warehouseIds } = await stockUp(engine, [5]);
    const now = new Date();
    const values = [shopId, sku, warehouseIds[0], lowestIdAt(now.getTime()), recentIdAt(now)];
    const [row] = await stock.query<{ 'QUERY PLAN': string }>(
      `explain (analyze, format json) ${stockAtSql}`,
      values,
    );
    const plan = JSON.stringify(row?.['QUERY PLAN']);
    const limit = plan.slice(plan.indexOf('"Node Type":"Limit"'));
    expect(limit).toContain('"Scan Direction":"Backward"');
    expect(limit).toMatch(/"Index Cond":"[^"]*level_id[^"]*id < /);
    expect(limit).not.toMatch(/"Node Type":"(Sort|Aggregate|Seq Scan)"/);
  });
});
