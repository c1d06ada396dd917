import { openStock, stockUp, type TestStock } from '../../../tests/harness/stock-engine.js';
import { newId } from '../../shared/ids.js';
import { setWarehouseActive } from '../activation/set-warehouse-active.js';
import {
  commitReservation,
  releaseReservation,
  reserveStock,
  type StockEngine,
} from '../reservation/engine.js';
import { transferStock } from '../transfer/transfer-stock.js';
import type { Warehouse } from '../warehouse/warehouse.js';
import { adjustStock } from './adjust-stock.js';
import { receiveStock } from './receive-stock.js';

const actor = 'test';

describe('the in-stock event for the product subgraph', () => {
  let stock: TestStock;
  let engine: StockEngine;
  beforeAll(async () => {
    stock = await openStock();
    engine = await stock.engine();
  });
  afterEach(() => stock.expectStockInvariants());
  afterAll(() => stock.close());

  type Shop = Awaited<ReturnType<typeof stockUp>>;
  const events = async ({ shopId, sku }: Shop) => {
    const rows = await stock.query<{ topic: string; version: number; payload: object }>(
      `select topic, version, payload from outbox where consumer = 'product' and key = $1 order by id`,
      [`${shopId}:${sku}`],
    );
    return rows.map(({ topic, version, payload }) => {
      const { inStock, ...key } = payload as { inStock: boolean };
      expect({ topic, ...key }).toEqual({ topic: 'warehouse.stock.changed', shopId, sku });
      return [version, inStock];
    });
  };
  const reserve = async ({ shopId, sku }: Shop, quantity: number) => {
    const orderId = newId();
    const lines = [{ shopId, sku, quantity }];
    const { state } = await reserveStock(engine, { orderId, lines, reserveForMs: 3_600_000 });
    expect(state).toBe('HELD');
    return orderId;
  };
  const receive = ({ sku, warehouses }: Shop, quantity: number) => {
    const [warehouse] = warehouses as [Warehouse];
    return receiveStock(engine, { warehouse, sku, quantity, reference: null, actor });
  };

  it('says in stock when the first units are received', async () => {
    const shop = await stockUp(engine, [5]);
    expect(await events(shop)).toEqual([[1, true]]);
    await receive(shop, 5);
    expect(await events(shop)).toHaveLength(1);
  });

  it('says not in stock when the first units are received by an inactive warehouse', async () => {
    const shop = await stockUp(engine, [0]);
    await setWarehouseActive(engine, shop.warehouses[0] as Warehouse, false, 'test');
    await receive(shop, 5);
    expect(await events(shop)).toEqual([[0, false]]);
    await setWarehouseActive(engine, shop.warehouses[0] as Warehouse, true, 'test');
    expect(await events(shop)).toEqual([
      [0, false],
      [1, true],
    ]);
  });

  it('is not sent when units are reserved, sold or released and others are left', async () => {
    const shop = await stockUp(engine, [10]);
    const orders = [await reserve(shop, 3), await reserve(shop, 4)] as [string, string];
    await commitReservation(engine, { orderId: orders[0], paymentId: newId() });
    await releaseReservation(engine, { orderId: orders[1], reason: 'BY_CUSTOMER' });
    expect(await events(shop)).toEqual([[1, true]]);
  });

  it('says not in stock after the last unit, and in stock again after a release', async () => {
    const shop = await stockUp(engine, [2]);
    const orderId = await reserve(shop, 1);
    await reserve(shop, 1);
    await releaseReservation(engine, { orderId, reason: 'BY_CUSTOMER' });
    expect(await events(shop)).toEqual([
      [1, true],
      [3, false],
      [4, true],
    ]);
  });

  it('is not sent when the last unit moves to another warehouse', async () => {
    const shop = await stockUp(engine, [1, 0]);
    const [from, to] = shop.warehouses as [Warehouse, Warehouse];
    const lines = [{ sku: shop.sku, quantity: 1 }];
    await transferStock(engine, { from, to, lines, actor });
    expect(await events(shop)).toEqual([[1, true]]);
  });

  it('says not in stock when the units are adjusted away or their warehouse is deactivated', async () => {
    const shop = await stockUp(engine, [2, 3]);
    const [first, second] = shop.warehouses as [Warehouse, Warehouse];
    const adjustment = { warehouse: first, sku: shop.sku, delta: -2, reason: 'lost', actor };
    await adjustStock(engine, adjustment);
    expect(await events(shop)).toEqual([[1, true]]);
    await setWarehouseActive(engine, second, false, 'test');
    await setWarehouseActive(engine, second, true, 'test');
    await setWarehouseActive(engine, first, false, 'test');
    expect(await events(shop)).toEqual([
      [1, true],
      [4, false],
      [5, true],
    ]);
  });
});
