import { setTimeout } from 'node:timers/promises';
import pg from 'pg';
import { openStock, stockUp, type TestStock } from '../../../tests/harness/stock-engine.js';
import { openImports } from '../../../tests/harness/stock-files.js';
import { newId } from '../../shared/ids.js';
import { setWarehouseActive } from '../activation/set-warehouse-active.js';
import { commitReservation, reserveStock, type StockEngine } from '../reservation/engine.js';
import { adjustStock } from '../stock/adjust-stock.js';
import { markUnavailable } from '../stock/mark-unavailable.js';
import { receiveStock } from '../stock/receive-stock.js';
import { setStockBuffer } from '../stock/set-stock-buffer.js';
import type { Warehouse } from '../warehouse/warehouse.js';
import { applyRows } from './apply-rows.js';
import { stageRows } from './stage-rows.js';

interface Before {
  readonly onHand: number;
  readonly reserved?: number;
  readonly committed?: number;
  readonly unavailable?: number;
  readonly buffer?: number;
  readonly active?: boolean;
}

describe('applying the rows of a file', () => {
  let stock: TestStock;
  let engine: StockEngine;
  beforeAll(async () => {
    stock = await openStock();
    engine = await stock.engine();
  });
  afterEach(() => stock.expectStockInvariants());
  afterAll(() => stock.close());

  async function open({ onHand, reserved = 0, committed = 0, ...more }: Before) {
    const { shopId, sku, warehouses } = await stockUp(engine, [onHand]);
    const [warehouse] = warehouses as [Warehouse];
    const hold = async (quantity: number) => {
      const orderId = newId();
      const lines = [{ shopId, sku, quantity }];
      await reserveStock(engine, { orderId, lines, reserveForMs: 900_000 });
      return orderId;
    };
    if (reserved > 0) await hold(reserved);
    if (committed > 0) {
      await commitReservation(engine, { orderId: await hold(committed), paymentId: newId() });
    }
    const { unavailable = 0, buffer = 0, active = true } = more;
    const damaged = { warehouse, sku, delta: unavailable, reason: 'damaged', actor: 'test' };
    if (unavailable > 0) await markUnavailable(engine, damaged);
    if (buffer > 0) await setStockBuffer(engine, { warehouse, sku, buffer });
    if (!active) await setWarehouseActive(engine, warehouse, false, 'test');
    return { shopId, sku, warehouse };
  }

  /** What is stored about the one sku of a shop, without ids, skus and times. */
  async function stored({ shopId, sku, warehouse }: Awaited<ReturnType<typeof open>>) {
    const level = await stock.query(
      `select on_hand, reserved, committed, unavailable, buffer, shortfall, incoming,
         low_stock_threshold, counted_at is not null as counted,
         counted_at = date_trunc('milliseconds', updated_at) as "now"
       from stock_level where warehouse_id = $1`,
      [warehouse.id],
    );
    const item = await stock.query(
      'select available, version from stock_item where shop_id = $1 and sku = $2',
      [shopId, sku],
    );
    const movements = await stock.query(
      `select type, on_hand_delta, reserved_delta, committed_delta, unavailable_delta
       from stock_movement m join stock_level l on l.id = m.level_id where warehouse_id = $1
       order by m.created_at, type`,
      [warehouse.id],
    );
    const messages = await stock.query(
      `select consumer, topic, version, payload->'inStock' as "inStock" from outbox
       where payload->>'shopId' = $1 order by version`,
      [shopId],
    );
    return { level, item, movements, messages };
  }

  it.each<[Before, number]>([
    [{ onHand: 0 }, 7],
    [{ onHand: 0, active: false }, 7],
    [{ onHand: 5 }, 0],
    [{ onHand: 5 }, 9],
    [{ onHand: 5, active: false }, 9],
    [{ onHand: 5, reserved: 2 }, 3],
    [{ onHand: 5, reserved: 2 }, 1],
    [{ onHand: 5, reserved: 2, committed: 2 }, 1],
    [{ onHand: 5, unavailable: 3 }, 2],
    [{ onHand: 5, reserved: 2, unavailable: 3 }, 1],
    [{ onHand: 5, buffer: 3 }, 2],
    [{ onHand: 5, buffer: 9 }, 12],
    [{ onHand: 9, reserved: 1, committed: 2, unavailable: 3, buffer: 1 }, 4],
  ])('stores the same as a count by adjustStock: %j, set to %i', async (before, quantity) => {
    const [counted, imported] = [await open(before), await open(before)];
    const { onHand: expectedOnHand } = before;
    const count = { setTo: quantity, expectedOnHand, reason: 'counted', actor: 'test' };
    await adjustStock(engine, { ...counted, ...count });
    const file = `sku,quantity\n${imported.sku},${quantity}\n`;
    await openImports(stock, engine).put(imported.warehouse, file);
    expect(await stored(imported)).toEqual(await stored(counted));
  });

  it('locks an item that was inserted just after the others were locked', async () => {
    const { shopId, warehouses } = await stockUp(engine, [1]);
    const [warehouse] = warehouses as [Warehouse];
    const sku = `LATE-${shopId.slice(-8)}`;
    const client = new pg.Client({ connectionString: stock.url });
    await client.connect();
    async function* rows() {
      yield { line: 2, sku, quantity: 9, threshold: null, expected: null };
    }
    await stageRows(client, rows());
    // A delivery after the items were locked, and one after the levels were read.
    const moments = [/for update\) locked/, /^insert into import_delta/];
    const deliveries: Promise<unknown>[] = [];
    const query = client.query.bind(client) as (...args: unknown[]) => Promise<unknown>;
    const meddling = async (text: unknown, ...args: unknown[]) => {
      const result = await query(text, ...args);
      if (!moments[deliveries.length]?.test(String(text))) return result;
      const delivery = { warehouse, sku, quantity: 1, reference: null, actor: 'test' };
      deliveries.push(receiveStock(engine, delivery));
      await Promise.race([deliveries.at(-1), setTimeout(200)]);
      return result;
    };
    Object.assign(client, { query: meddling });
    await applyRows(client, { id: newId(), warehouse, actor: 'test', lines: 1, key: null });
    await client.end();
    await Promise.all(deliveries);
    expect(deliveries).toHaveLength(2);
    const level =
      'select on_hand as "onHand" from stock_level where warehouse_id = $1 and sku = $2';
    expect(await stock.query(level, [warehouse.id, sku])).toEqual([{ onHand: 10 }]);
  });
});
