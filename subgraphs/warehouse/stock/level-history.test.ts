import { openStock, stockUp, type TestStock } from '../../../tests/harness/stock-engine.js';
import { openImports } from '../../../tests/harness/stock-files.js';
import { lowestIdAt, newId, timeOfId } from '../../shared/ids.js';
import { releaseReservation, reserveStock, type StockEngine } from '../reservation/engine.js';
import type { StockTransfer } from '../transfer/stock-transfer.js';
import { transferStock } from '../transfer/transfer-stock.js';
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

  /** A level that was changed when the clock was an hour ahead. @returns that time */
  const setAhead = async (warehouseId: string, sku: string) => {
    const ahead = new Date(Date.now() + 3_600_000);
    const update = 'update stock_level set updated_at = $3 where warehouse_id = $1 and sku = $2';
    await stock.query(update, [warehouseId, sku, ahead]);
    return ahead;
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
    const ahead = await setAhead(warehouse.id, sku);
    const change = { warehouse, sku, delta: 1, reason: 'damaged', actor: 'test' };
    await markUnavailable(engine, change);
    await markUnavailable(engine, { ...change, delta: -1 });
    expect((await historyOf(warehouse.id)).slice(1)).toMatchObject([{ at: ahead }, { at: ahead }]);
  });

  it('never goes back in time by an import, and passes its time to no other level of the file', async () => {
    const { sku, warehouses } = await stockUp(engine, [5]);
    const [warehouse] = warehouses as [(typeof warehouses)[number]];
    const damaged = { warehouse, sku, delta: 4, reason: 'damaged', actor: 'test' };
    await markUnavailable(engine, damaged);
    const other = { warehouse, sku: `${sku}-other`, quantity: 5, reference: null, actor: 'test' };
    await receiveStock(engine, other);
    const ahead = await setAhead(warehouse.id, sku);
    const { put } = openImports(stock, engine);
    await put(warehouse, `sku,quantity\n${sku},2\n${sku}-other,3\n${sku}-new,1\n`);
    const imported = await stock.query<{ of: string; type: string; at: Date; byId: Date }>(
      `select l.sku as of, m.type, m.created_at as at, uuid_extract_timestamp(m.id) as "byId"
       from stock_movement m join stock_level l on l.shop_id = m.shop_id and l.id = m.level_id
       where l.warehouse_id = $1 and m.reason = 'CSV import' order by l.sku, m.seq`,
      [warehouse.id],
    );
    const isAhead = imported.map(({ of, type, at }) => [of, type, at.getTime() >= ahead.getTime()]);
    expect(isAhead).toEqual([
      [sku, 'ADJUSTMENT', true],
      [sku, 'UNAVAILABLE', true],
      [`${sku}-new`, 'ADJUSTMENT', false],
      [`${sku}-other`, 'ADJUSTMENT', false],
    ]);
    expect(imported.map(({ byId }) => byId)).toEqual(imported.map(({ at }) => at));
    const levels = `select sku from stock_level where warehouse_id = $1 and updated_at >= $2`;
    expect(await stock.query(levels, [warehouse.id, ahead])).toEqual([{ sku }]);
  });

  it('passes a time to come to no other level of a change', async () => {
    const { sku, warehouses } = await stockUp(engine, [5, 5]);
    const [from, to] = warehouses as [(typeof warehouses)[number], (typeof warehouses)[number]];
    const ahead = await setAhead(from.id, sku);
    const lines = [{ sku, quantity: 2 }];
    const transfer = await transferStock(engine, { from, to, lines, actor: 'test' });
    expect((await historyOf(from.id)).at(-1)?.at).toEqual(ahead);
    expect((await historyOf(to.id)).at(-1)?.at.getTime()).toBeLessThan(ahead.getTime());
    expect((transfer as StockTransfer).createdAt.getTime()).toBeLessThan(ahead.getTime());
    const levels = `select warehouse_id as id from stock_level where sku = $1 and updated_at >= $2`;
    expect(await stock.query(levels, [sku, ahead])).toEqual([{ id: from.id }]);
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

  /** Adds movements of now to the one level of a shop, which leave it as it is. */
  const addMovements = async (shopId: string, count: number) => {
    await stock.query(
      `insert into stock_movement (shop_id, level_id, id, seq, type, on_hand_delta, reserved_delta,
         on_hand, reserved, committed, unavailable, actor, created_at)
       select l.shop_id, l.id, new.id, l.last_seq + n, 'RECEIPT', 0, 0, l.on_hand, 0, 0, 0, 'test',
         uuid_extract_timestamp(new.id)
       from stock_level l cross join generate_series(1, $2) as n
         cross join lateral (select uuidv7(n * interval '0 s') as id) new where l.shop_id = $1`,
      [shopId, count],
    );
    await stock.query('vacuum analyze stock_movement');
  };

  it('is read at a time by one entry of an index, however long it is', async () => {
    const { shopId, sku, warehouseIds } = await stockUp(engine, [5]);
    await addMovements(shopId, 5000);
    const now = new Date();
    const values = [shopId, sku, warehouseIds[0], lowestIdAt(now.getTime() + 1), recentIdAt(now)];
    const [row] = await stock.query<{ 'QUERY PLAN': string }>(
      `explain (analyze, format json) ${stockAtSql}`,
      values,
    );
    const plan = JSON.stringify(row?.['QUERY PLAN']);
    const limit = plan.slice(plan.indexOf('"Node Type":"Limit"'));
    expect(limit).toContain('"Scan Direction":"Backward"');
    expect(limit).toMatch(/"Index Cond":"[^"]*level_id[^"]*id < /);
    expect(limit).not.toMatch(/"Node Type":"(Sort|Aggregate|Seq Scan)"/);
    // In the partition of this month one row is read, and none of an older one.
    const rows = [...limit.matchAll(/"Alias":"stock_movement_\d+".*?"Actual Rows":([\d.]+)/g)];
    expect(rows.map(([, count]) => Number(count)).filter((count) => count > 0)).toEqual([1]);
    expect(limit).not.toMatch(/"Rows Removed by Filter":[1-9]/);
  });
});
