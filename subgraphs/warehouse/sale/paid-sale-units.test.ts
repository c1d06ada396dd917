import { lineOf, putInSale, requestOf, saleStock } from '../../../tests/harness/sales.js';
import { logger, openStock, stockUp, type TestStock } from '../../../tests/harness/stock-engine.js';
import type { StockKey } from '../../contracts/stock-key.js';
import { newId } from '../../shared/ids.js';
import { setWarehouseActive } from '../activation/set-warehouse-active.js';
import { loadAvailability, loadAvailabilityOfSkus } from '../availability/availability.js';
import { onUnitsCancelled } from '../fulfilment/on-units-cancelled.js';
import { onUnitsShipped } from '../fulfilment/on-units-shipped.js';
import { readItems } from '../live/read-items.js';
import { commitReservation, reserveStock, type StockEngine } from '../reservation/engine.js';
import { loadUnshippedOrders } from '../shortfall/list-unshipped-orders.js';
import { reassignShopOrder } from '../shortfall/reassign-shop-order.js';
import type { StockLevel } from '../stock/stock-level.js';
import type { Warehouse } from '../warehouse/warehouse.js';

describe('paid units of a sale', () => {
  let stock: TestStock;
  let engine: StockEngine;
  beforeAll(async () => {
    stock = await openStock();
    engine = await stock.engine();
  });
  afterEach(() => stock.expectStockInvariants());
  afterAll(() => stock.close());

  const linesOf = (orderId: string) =>
    stock.query(
      `select quantity, shipped, cancelled, sale_id = $2 as regular from reservation_line
       where order_id = $1 and quantity > 0 order by quantity`,
      [orderId, '00000000-0000-0000-0000-000000000000'],
    );

  /** A paid order of 2 regular units and 3 of a sale, on one level, of 10 units of which 6 are allocated. */
  async function sell(units: readonly number[] = [10]) {
    const key = await stockUp(engine, units);
    const { saleId } = await putInSale(engine, key, 6);
    const request = requestOf(lineOf(key, 2), lineOf(key, 3, saleId));
    await reserveStock(engine, request);
    await commitReservation(engine, { orderId: request.orderId, paymentId: newId() });
    return { key, saleId, orderId: request.orderId };
  }
  const about = ({ shopId }: StockKey, orderId: string) => {
    return { shopOrderId: newId(), orderId, shopId };
  };
  const regularUnits = async (key: StockKey) => {
    const context = { em: engine.orm.em.fork() } as never;
    const [inShop] = await loadAvailability([key], context);
    const [inAll] = await loadAvailabilityOfSkus([key.sku], context);
    const [live] = await readItems(engine.orm.em, 'where i.shop_id = $1', [key.shopId]);
    expect([inAll?.available, live?.available]).toEqual([inShop?.available, inShop?.available]);
    return inShop?.available;
  };

  it('that are cancelled go to regular stock, and stay sold', async () => {
    const { key, saleId, orderId } = await sell();
    expect(await regularUnits(key)).toBe(2);
    const lines = [{ sku: key.sku, quantity: 5 }];
    const payload = {
      ...about(key, orderId),
      cancellationId: newId(),
      reason: 'BY_CUSTOMER',
      lines,
    };
    await engine.orm.em.fork().transactional(async (em) => {
      await onUnitsCancelled(em as never, {} as never, payload as never, {
        app: engine as never,
        logger,
      });
    });
    expect(await linesOf(orderId)).toEqual([
      { quantity: 2, shipped: 0, cancelled: 2, regular: true },
      { quantity: 3, shipped: 0, cancelled: 3, regular: false },
    ]);
    expect(await regularUnits(key)).toBe(7);
    expect(await saleStock(engine, saleId)).toMatchObject({ sold: 3, remaining: 3 });
  });

  it('are shipped with the regular units of their order, in parts', async () => {
    const { key, saleId, orderId } = await sell();
    for (const quantity of [1, 3, 1]) {
      const lines = [{ sku: key.sku, quantity }];
      const shippedAt = new Date().toISOString();
      const payload = { ...about(key, orderId), shipmentId: newId(), shippedAt, lines };
      await engine.orm.em.fork().transactional(async (em) => {
        await onUnitsShipped(em as never, {} as never, payload as never, {
          app: engine as never,
          logger,
        });
      });
      await stock.expectStockInvariants();
    }
    expect(await linesOf(orderId)).toMatchObject([
      { quantity: 2, shipped: 2 },
      { quantity: 3, shipped: 3 },
    ]);
    expect(await saleStock(engine, saleId)).toMatchObject({ sold: 3, remaining: 3 });
  });

  it('keep their sale when their order is moved to another warehouse', async () => {
    const { key, saleId, orderId } = await sell([5, 5]);
    const to = key.warehouses[1] as Warehouse;
    const moved = await reassignShopOrder(engine, { orderId, to, actor: 'test' });
    expect(moved).toMatchObject({ units: 5 });
    expect(await linesOf(orderId)).toMatchObject([
      { quantity: 2, regular: true },
      { quantity: 3, regular: false },
    ]);
    expect(await saleStock(engine, saleId)).toMatchObject({ sold: 3 });
  });

  it('are listed once, with the regular units of their order', async () => {
    const { key, orderId } = await sell();
    const em = engine.orm.em.fork();
    const [level] = await stock.query<StockLevel>(
      'select id, shop_id as "shopId" from stock_level where shop_id = $1',
      [key.shopId],
    );
    const page = { level: level as StockLevel, first: 10, after: null };
    const [orders] = await loadUnshippedOrders([page], { em } as never);
    expect(orders?.edges).toHaveLength(1);
    expect(orders?.edges[0]?.node).toMatchObject({ id: orderId, units: 5, paid: true });
  });

  it('are committed only if they and the regular units of their order are there', async () => {
    const key = await stockUp(engine, [6]);
    const { saleId } = await putInSale(engine, key, 3);
    const request = requestOf(lineOf(key, 3), lineOf(key, 3, saleId));
    await reserveStock(engine, request);
    await stock.query('begin');
    await stock.query(
      `update stock_level set on_hand = 4, shortfall = 2, last_seq = last_seq + 1 where shop_id = $1`,
      [key.shopId],
    );
    await stock.query(
      `insert into stock_movement (shop_id, level_id, id, seq, type, on_hand_delta, reserved_delta,
         on_hand, reserved, committed, unavailable, actor, created_at)
       select shop_id, id, n, last_seq, 'ADJUSTMENT', -2, 0, on_hand, reserved, committed, unavailable,
         'test', uuid_extract_timestamp(n) from stock_level, uuidv7() as new (n) where shop_id = $1`,
      [key.shopId],
    );
    await stock.query('commit');
    const payment = { orderId: request.orderId, paymentId: newId() };
    const ended = await commitReservation(engine, payment);
    expect(ended).toMatchObject({ state: 'RELEASED', reason: 'OUT_OF_STOCK' });
    expect(await saleStock(engine, saleId)).toMatchObject({ held: 0, sold: 0 });
  });

  it('leave regular units 0 for everybody while less is available than is set aside', async () => {
    const { key } = await sell([5, 5]);
    await setWarehouseActive(engine, key.warehouses[1] as Warehouse, false, 'test');
    expect(await regularUnits(key)).toBe(0);
  });
});
