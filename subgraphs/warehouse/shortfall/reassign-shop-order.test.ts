import { openStock, stockUp, type TestStock } from '../../../tests/harness/stock-engine.js';
import { newId } from '../../shared/ids.js';
import { setWarehouseActive } from '../activation/set-warehouse-active.js';
import { commitReservation, reserveStock, type StockEngine } from '../reservation/engine.js';
import { adjustStock } from '../stock/adjust-stock.js';
import type { Warehouse } from '../warehouse/warehouse.js';
import { reassignShopOrder } from './reassign-shop-order.js';

describe('reassigning a paid shop order', () => {
  let stock: TestStock;
  let engine: StockEngine;
  beforeAll(async () => {
    stock = await openStock();
    engine = await stock.engine();
  });
  afterEach(() => stock.expectStockInvariants());
  afterAll(() => stock.close());

  type Shop = Awaited<ReturnType<typeof stockUp>>;
  async function sell({ shopId, sku }: Shop, quantity: number) {
    const orderId = newId();
    await reserveStock(engine, {
      orderId,
      lines: [{ shopId, sku, quantity }],
      reserveForMs: 3_600_000,
    });
    await commitReservation(engine, { orderId, paymentId: newId() });
    return orderId;
  }
  const reassign = (orderId: string, { warehouses }: Shop, n: number) =>
    reassignShopOrder(engine, { orderId, to: warehouses[n] as Warehouse, actor: 'test' });
  const levelsOf = async ({ shopId }: Shop) => {
    const rows = await stock.query<{ units: number[] }>(
      `select array[on_hand, committed, shortfall] as units
       from stock_level l join warehouse w on w.id = warehouse_id
       where l.shop_id = $1 order by w.priority`,
      [shopId],
    );
    return rows.map(({ units }) => units);
  };
  const availableOf = async ({ shopId }: Shop) => {
    const query = 'select available from stock_item where shop_id = $1';
    return (await stock.query<{ available: number }>(query, [shopId]))[0]?.available;
  };

  it('moves its units to where they are available, and ends the shortfall', async () => {
    const shop = await stockUp(engine, [5, 5]);
    const orderId = await sell(shop, 4);
    const [warehouse] = shop.warehouses as [Warehouse];
    const lost = { warehouse, sku: shop.sku, delta: -3, reason: 'lost', actor: 'test' };
    await adjustStock(engine, lost);
    expect(await levelsOf(shop)).toEqual([
      [2, 4, 2],
      [5, 0, 0],
    ]);
    expect(await reassign(orderId, shop, 1)).toMatchObject({ units: 4 });
    expect(await levelsOf(shop)).toEqual([
      [2, 0, 0],
      [5, 4, 0],
    ]);
    expect(await availableOf(shop)).toBe(3);
    expect(await reassign(orderId, shop, 1)).toMatchObject({ units: 0 });
  });

  it('moves nothing where too few are available', async () => {
    const shop = await stockUp(engine, [5, 3]);
    const orderId = await sell(shop, 4);
    expect(await reassign(orderId, shop, 1)).toMatchObject({
      levels: [{ sku: shop.sku, requested: 4, onHand: 3 }],
    });
    expect(await levelsOf(shop)).toEqual([
      [5, 4, 0],
      [3, 0, 0],
    ]);
  });

  it('moves nothing to a warehouse that was deactivated meanwhile', async () => {
    const shop = await stockUp(engine, [5, 5]);
    const orderId = await sell(shop, 4);
    await setWarehouseActive(engine, shop.warehouses[1] as Warehouse, false, 'test');
    expect(await reassign(orderId, shop, 1)).toMatchObject({ levels: [{ requested: 4 }] });
    expect(await levelsOf(shop)).toMatchObject([[5, 4, 0], expect.anything()]);
  });

  it('moves nothing of an order that is unpaid or unknown', async () => {
    const shop = await stockUp(engine, [5, 5]);
    const unpaid = newId();
    const lines = [{ shopId: shop.shopId, sku: shop.sku, quantity: 1 }];
    await reserveStock(engine, { orderId: unpaid, lines, reserveForMs: 3_600_000 });
    for (const orderId of [unpaid, newId()]) {
      expect(await reassign(orderId, shop, 1)).toMatchObject({
        message: expect.stringContaining('not paid'),
      });
    }
  });

  it('joins units that are split over warehouses', async () => {
    const shop = await stockUp(engine, [2, 6]);
    const orderId = await sell(shop, 4);
    await adjustStock(engine, {
      warehouse: shop.warehouses[1] as Warehouse,
      sku: shop.sku,
      delta: 1,
      reason: 'found',
      actor: 'test',
    });
    expect(await levelsOf(shop)).toEqual([
      [2, 0, 0],
      [7, 4, 0],
    ]);
    const split = await sell(shop, 5);
    expect(await levelsOf(shop)).toEqual([
      [2, 2, 0],
      [7, 7, 0],
    ]);
    await adjustStock(engine, {
      warehouse: shop.warehouses[1] as Warehouse,
      sku: shop.sku,
      delta: 2,
      reason: 'found',
      actor: 'test',
    });
    expect(await reassign(split, shop, 1)).toMatchObject({ units: 2 });
    expect(await levelsOf(shop)).toEqual([
      [2, 0, 0],
      [9, 9, 0],
    ]);
    expect(await reassign(orderId, shop, 0)).toMatchObject({ levels: [{ requested: 4 }] });
  });
});
