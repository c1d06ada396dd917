import { jest } from '@jest/globals';
import { openStockCount } from '../../../tests/harness/stock-counts.js';
import { logger, openStock, stockUp, type TestStock } from '../../../tests/harness/stock-engine.js';
import { eventually, retryWhileBusy } from '../../../tests/harness/wait.js';
import type { ShopCancelReason } from '../../contracts/cancel-reasons.js';
import { newId } from '../../shared/ids.js';
import { createInboxResolver, type OutboxEvent } from '../../shared/messaging/inbox.js';
import { submitStockCount } from '../count/submit-stock-count.js';
import {
  commitReservation,
  releaseReservation,
  reserveStock,
  type StockEngine,
} from '../reservation/engine.js';
import { adjustStock } from '../stock/adjust-stock.js';
import { markUnavailable } from '../stock/mark-unavailable.js';
import { receiveStock } from '../stock/receive-stock.js';
import type { StockContext } from '../stock/stock-store.js';
import { onUnitsCancelled } from './on-units-cancelled.js';
import { onUnitsShipped } from './on-units-shipped.js';

const Inbox = createInboxResolver<StockContext>('test', {
  'order.units.shipped': onUnitsShipped,
  'order.units.cancelled': onUnitsCancelled,
});

let stock: TestStock;
let engine: StockEngine;
beforeAll(async () => {
  stock = await openStock();
  engine = await stock.engine();
});
afterEach(() => stock.expectStockInvariants());
afterAll(() => stock.close());

type Shop = Awaited<ReturnType<typeof stockUp>>;
const reserve = (lines: { shopId: string; sku: string; quantity: number }[], orderId: string) =>
  reserveStock(engine, { orderId, lines, reserveForMs: 3_600_000 });

/** A paid order of some units of each shop. */
async function sell(...parts: [shop: Shop, quantity: number][]) {
  const orderId = newId();
  const lines = parts.map(([{ shopId, sku }, quantity]) => ({ shopId, sku, quantity }));
  expect((await reserve(lines, orderId)).state).toBe('HELD');
  expect((await commitReservation(engine, { orderId, paymentId: newId() })).state).toBe(
    'COMMITTED',
  );
  return orderId;
}

function eventOf(topic: OutboxEvent['topic'], orderId: string, shop: Shop, rest: object) {
  const id = newId();
  const shopOrderId = newId();
  const payload = { shopOrderId, orderId, shopId: shop.shopId, ...rest };
  return {
    id,
    topic,
    key: shopOrderId,
    version: 1,
    payload: JSON.stringify({ shipmentId: id, cancellationId: id, ...payload }),
  };
}
const shipped = (orderId: string, shop: Shop, quantity: number, shippedAt = new Date()) =>
  eventOf('order.units.shipped', orderId, shop, {
    shippedAt: shippedAt.toISOString(),
    lines: [{ sku: shop.sku, quantity }],
  });
const cancelled = (
  orderId: string,
  shop: Shop,
  quantity: number,
  reason: ShopCancelReason = 'CUSTOMER_REQUEST',
) =>
  eventOf('order.units.cancelled', orderId, shop, {
    reason,
    lines: [{ sku: shop.sku, quantity }],
  });
const deliver = async (...events: OutboxEvent[]) => {
  const context = { em: engine.orm.em.fork(), app: engine, logger, caller: 'order' };
  return (await new Inbox().deliver(events, context as unknown as StockContext)).accepted;
};

/** `[onHand, committed, unavailable, shortfall]` of each level, by priority. */
async function levelsOf({ shopId }: Shop) {
  const rows = await stock.query<{ units: number[] }>(
    `select array[on_hand, committed, unavailable, shortfall] as units
     from stock_level l join warehouse w on w.id = warehouse_id
     where l.shop_id = $1 order by w.priority`,
    [shopId],
  );
  return rows.map(({ units }) => units);
}
const itemOf = async ({ shopId }: Shop) => {
  const [item] = await stock.query<{ available: number; version: number }>(
    'select available, version from stock_item where shop_id = $1',
    [shopId],
  );
  return item;
};
/** By level, that of the warehouse that is sold from last first; in their order in each. */
const movementsOf = (orderId: string, ...types: string[]) =>
  stock.query(
    `select type, on_hand_delta as "onHand", committed_delta as committed, reason
     from stock_movement m join stock_level l on l.shop_id = m.shop_id and l.id = m.level_id
       join warehouse w on w.shop_id = l.shop_id and w.id = l.warehouse_id
     where reference = $1 and type = any($2) order by w.priority desc, m.seq`,
    [orderId, types],
  );
/** The metric of its alert. */
const shippedBeyondCount = async () =>
  (await engine.metrics.shippedBeyondCount.get()).values[0]?.value ?? 0;
const warehouseOf = (shop: Shop, n = 0) => shop.warehouses[n] as (typeof shop.warehouses)[0];
const count = (shop: Shop, setTo: number, expectedOnHand: number) =>
  adjustStock(engine, {
    warehouse: warehouseOf(shop),
    sku: shop.sku,
    setTo,
    expectedOnHand,
    reason: 'counted',
    actor: 'test',
  });

describe('a shipment', () => {
  it('takes the units out of the warehouses that they are committed in', async () => {
    const shop = await stockUp(engine, [2, 5]);
    const orderId = await sell([shop, 6]);
    expect(await levelsOf(shop)).toEqual([
      [2, 2, 0, 0],
      [5, 4, 0, 0],
    ]);
    const event = shipped(orderId, shop, 6);
    expect(await deliver(event)).toEqual([event.id]);
    expect(await levelsOf(shop)).toEqual([
      [0, 0, 0, 0],
      [1, 0, 0, 0],
    ]);
    expect(await itemOf(shop)).toMatchObject({ available: 1 });
  });

  it('happens once when its event is delivered twice at the same time', async () => {
    const shop = await stockUp(engine, [5]);
    const orderId = await sell([shop, 3]);
    const event = shipped(orderId, shop, 3);
    await Promise.all([deliver(event), deliver(event), deliver(event, event)]);
    expect(await deliver(event)).toEqual([event.id]);
    expect(await levelsOf(shop)).toEqual([[2, 0, 0, 0]]);
  });

  it('takes the units of one shop order; those of another stay committed', async () => {
    const [one, other] = [await stockUp(engine, [5]), await stockUp(engine, [5])];
    const orderId = await sell([one, 2], [other, 3]);
    await deliver(shipped(orderId, one, 2));
    expect([await levelsOf(one), await levelsOf(other)]).toEqual([[[3, 0, 0, 0]], [[5, 3, 0, 0]]]);
  });

  it('of more units than a count left is booked in full, after an adjustment', async () => {
    const shop = await stockUp(engine, [5]);
    const orderId = await sell([shop, 4]);
    await count(shop, 3, 5);
    expect(await levelsOf(shop)).toEqual([[3, 4, 0, 1]]);
    const before = await shippedBeyondCount();
    const event = shipped(orderId, shop, 4);
    await deliver(event);
    await deliver(event);
    expect((await shippedBeyondCount()) - before).toBe(1);
    expect(await levelsOf(shop)).toEqual([[0, 0, 0, 0]]);
    expect(await movementsOf(orderId, 'ADJUSTMENT', 'SHIPMENT')).toEqual([
      { type: 'ADJUSTMENT', onHand: 1, committed: 0, reason: 'shipped beyond the count' },
      { type: 'SHIPMENT', onHand: -4, committed: -4, reason: null },
    ]);
  });

  it('that left before the newest count, and is recorded after it, is not subtracted twice', async () => {
    const shop = await stockUp(engine, [5]);
    const orderId = await sell([shop, 2]);
    const leftAt = new Date();
    await new Promise((resolve) => setTimeout(resolve, 5));
    await count(shop, 3, 5);
    await deliver(shipped(orderId, shop, 2, leftAt));
    expect(await levelsOf(shop)).toEqual([[3, 0, 0, 0]]);
    expect(await movementsOf(orderId, 'ADJUSTMENT', 'SHIPMENT')).toMatchObject([
      { type: 'SHIPMENT', onHand: -2 },
      { type: 'ADJUSTMENT', onHand: 2, reason: 'already counted' },
    ]);
  });

  it('that left before the newest count is subtracted and added where fewer units are left than it has', async () => {
    const shop = await stockUp(engine, [5]);
    const orderId = await sell([shop, 4]);
    const leftAt = new Date();
    await new Promise((resolve) => setTimeout(resolve, 10));
    await count(shop, 1, 5);
    await deliver(shipped(orderId, shop, 4, leftAt));
    expect(await levelsOf(shop)).toEqual([[1, 0, 0, 0]]);
    expect(await movementsOf(orderId, 'ADJUSTMENT', 'SHIPMENT')).toMatchObject([
      { type: 'SHIPMENT', onHand: -4 },
      { type: 'ADJUSTMENT', onHand: 4, reason: 'already counted' },
    ]);
  });

  it('that left before a count, and is recorded before that is submitted, is not subtracted twice', async () => {
    const shop = await stockUp(engine, [5]);
    const orderId = await sell([shop, 2]);
    const countId = await openStockCount(stock, warehouseOf(shop).id, [shop.sku]);
    const pause = () => new Promise((resolve) => setTimeout(resolve, 5));
    await pause();
    const leftAt = new Date();
    await pause();
    const countedAt = new Date();
    await pause();
    await deliver(shipped(orderId, shop, 2, leftAt));
    const lines = [{ sku: shop.sku, quantity: 3, countedAt }];
    const submission = { countId, warehouse: warehouseOf(shop), lines, actor: 'test' };
    expect(await submitStockCount(engine, submission)).toMatchObject({ status: 'SUBMITTED' });
    expect(await levelsOf(shop)).toEqual([[3, 0, 0, 0]]);
  });

  it('that left before a count, with units that no count had shown, leaves those received since', async () => {
    const shop = await stockUp(engine, [5]);
    const orderId = await sell([shop, 5]);
    await count(shop, 0, 5);
    const countId = await openStockCount(stock, warehouseOf(shop).id, [shop.sku]);
    const pause = () => new Promise((resolve) => setTimeout(resolve, 5));
    await pause();
    // They were found.
    const leftAt = new Date();
    await pause();
    const countedAt = new Date();
    await pause();
    const about = { warehouse: warehouseOf(shop), sku: shop.sku, actor: 'test' };
    await receiveStock(engine, { ...about, quantity: 5, reference: null });
    await deliver(shipped(orderId, shop, 5, leftAt));
    const lines = [{ sku: shop.sku, quantity: 0, countedAt }];
    await submitStockCount(engine, { ...about, countId, lines });
    expect(await levelsOf(shop)).toEqual([[5, 0, 0, 0]]);
  });

  it('of an order that is not paid changes nothing', async () => {
    const shop = await stockUp(engine, [9]);
    const [held, released] = [newId(), newId()];
    for (const orderId of [held, released]) {
      await reserve([{ shopId: shop.shopId, sku: shop.sku, quantity: 2 }], orderId);
    }
    await releaseReservation(engine, { orderId: released, reason: 'BY_CUSTOMER' });
    const before = await itemOf(shop);
    for (const orderId of [held, released, newId()]) {
      expect(await deliver(shipped(orderId, shop, 2))).toHaveLength(1);
    }
    expect(await levelsOf(shop)).toEqual([[9, 0, 0, 0]]);
    expect(await itemOf(shop)).toEqual(before);
  });
});

describe('cancelled units of a paid order', () => {
  it('can be sold again, with the reason in the history', async () => {
    const shop = await stockUp(engine, [2, 5]);
    const orderId = await sell([shop, 6]);
    const event = cancelled(orderId, shop, 6, 'PRICING_ERROR');
    expect(await deliver(event)).toEqual([event.id]);
    expect(await levelsOf(shop)).toEqual([
      [2, 0, 0, 0],
      [5, 0, 0, 0],
    ]);
    expect(await itemOf(shop)).toMatchObject({ available: 7 });
    expect(await movementsOf(orderId, 'UNCOMMIT')).toMatchObject([
      { committed: -4, reason: 'PRICING_ERROR' },
      { committed: -2, reason: 'PRICING_ERROR' },
    ]);
  });

  it('are published to subscribers, and to the product subgraph when the item comes into stock', async () => {
    const shop = await stockUp(engine, [1]);
    const orderId = await sell([shop, 1]);
    const send = jest.spyOn(engine.signals, 'send');
    await deliver(cancelled(orderId, shop, 1));
    const { shopId, sku } = shop;
    expect(await itemOf(shop)).toEqual({ available: 1, version: 3 });
    expect(send).toHaveBeenCalledWith({
      changed: [expect.objectContaining({ shopId, sku, available: 1, version: 3 })],
    });
    send.mockRestore();
    const [last] = await stock.query(
      'select payload from outbox where key = $1 order by version desc limit 1',
      [`${shopId}:${sku}`],
    );
    expect(last).toEqual({ payload: { shopId, sku, inStock: true } });
  });

  it('are counted once when their event is delivered twice, and never after they were shipped', async () => {
    const shop = await stockUp(engine, [5]);
    const orderId = await sell([shop, 5]);
    const event = cancelled(orderId, shop, 3);
    await Promise.all([deliver(event), deliver(event)]);
    await deliver(shipped(orderId, shop, 2));
    await deliver(cancelled(orderId, shop, 2));
    expect(await levelsOf(shop)).toEqual([[3, 0, 0, 0]]);
  });

  it('that are out of stock are taken from the shortfall first, and only the rest from the shelf', async () => {
    const shop = await stockUp(engine, [5]);
    const orders = [await sell([shop, 2]), await sell([shop, 3])];
    await count(shop, 3, 5);
    expect(await levelsOf(shop)).toEqual([[3, 5, 0, 2]]);
    await deliver(cancelled(orders[0] as string, shop, 2, 'OUT_OF_STOCK'));
    expect(await levelsOf(shop)).toEqual([[3, 3, 0, 0]]);
    await deliver(cancelled(orders[1] as string, shop, 3, 'OUT_OF_STOCK'));
    expect(await levelsOf(shop)).toEqual([[0, 0, 0, 0]]);
    expect(await itemOf(shop)).toMatchObject({ available: 0 });
  });

  it('that are damaged stay in the warehouse, and become unavailable', async () => {
    const shop = await stockUp(engine, [5]);
    const orderId = await sell([shop, 2]);
    await deliver(cancelled(orderId, shop, 2, 'DAMAGED'));
    expect(await levelsOf(shop)).toEqual([[5, 0, 2, 0]]);
    expect(await itemOf(shop)).toMatchObject({ available: 3 });
  });

  it('that are damaged, and partly missing, become unavailable as far as they are there', async () => {
    const shop = await stockUp(engine, [5]);
    const orderId = await sell([shop, 5]);
    await count(shop, 3, 5);
    await deliver(cancelled(orderId, shop, 5, 'DAMAGED'));
    expect(await levelsOf(shop)).toEqual([[3, 0, 3, 0]]);
  });

  it('come first from the level with a shortfall, then from the warehouse that is sold from last', async () => {
    const shop = await stockUp(engine, [2, 2, 2]);
    const orderId = await sell([shop, 6]);
    await adjustStock(engine, {
      warehouse: warehouseOf(shop),
      sku: shop.sku,
      delta: -1,
      reason: 'lost',
      actor: 'test',
    });
    await deliver(cancelled(orderId, shop, 3));
    expect(await levelsOf(shop)).toEqual([
      [1, 0, 0, 0],
      [2, 2, 0, 0],
      [2, 1, 0, 0],
    ]);
  });

  it('are neither lost nor oversold while others reserve', async () => {
    const shop = await stockUp(engine, [20]);
    const orders: string[] = [];
    for (let n = 0; n < 10; n++) orders.push(await sell([shop, 2]));
    const { shopId, sku } = shop;
    const [, ...outcomes] = await Promise.all([
      // A relay delivers again what was not accepted.
      Promise.all(
        orders.map((orderId) => {
          const event = cancelled(orderId, shop, 2);
          return eventually(
            () => deliver(event),
            ({ length }) => length === 1,
          );
        }),
      ),
      ...Array.from({ length: 30 }, () => {
        const orderId = newId();
        return retryWhileBusy(() => reserve([{ shopId, sku, quantity: 1 }], orderId));
      }),
    ]);
    const held = outcomes.filter(({ state }) => state === 'HELD').length;
    expect(await levelsOf(shop)).toEqual([[20, 0, 0, 0]]);
    expect(await itemOf(shop)).toMatchObject({ available: 20 - held });
  });
});

describe('units that are written off', () => {
  it('are taken from the unavailable ones, and no more than these', async () => {
    const shop = await stockUp(engine, [5]);
    const about = { warehouse: warehouseOf(shop), sku: shop.sku, reason: 'damaged', actor: 'test' };
    await markUnavailable(engine, { ...about, delta: 2 });
    const before = await itemOf(shop);
    const refused = await adjustStock(engine, { ...about, delta: -3, fromUnavailable: true });
    expect(refused).toMatchObject({ unavailable: 2 });
    await adjustStock(engine, { ...about, delta: -2, fromUnavailable: true });
    expect(await levelsOf(shop)).toEqual([[3, 0, 0, 0]]);
    expect(await itemOf(shop)).toEqual(before);
  });
});

describe('a payment', () => {
  it('never commits units that a count has shown to be missing', async () => {
    const shop = await stockUp(engine, [5]);
    await sell([shop, 2]);
    const unpaid = [newId(), newId(), newId()];
    for (const orderId of unpaid) {
      await reserve([{ shopId: shop.shopId, sku: shop.sku, quantity: 1 }], orderId);
    }
    await count(shop, 3, 5);
    const ended = await Promise.all(
      unpaid.map((orderId) => commitReservation(engine, { orderId, paymentId: newId() })),
    );
    expect(ended.map(({ state }) => state).toSorted()).toEqual([
      'COMMITTED',
      'RELEASED',
      'RELEASED',
    ]);
    const short = ended.filter(({ state }) => state === 'RELEASED');
    expect(short.map(({ reason }) => reason)).toEqual(['OUT_OF_STOCK', 'OUT_OF_STOCK']);
    const [{ orderId }] = short as [(typeof short)[0]];
    const again = await commitReservation(engine, { orderId, paymentId: newId() });
    expect(again).toMatchObject({ state: 'RELEASED', reason: 'OUT_OF_STOCK' });
    expect(await levelsOf(shop)).toEqual([[3, 3, 0, 0]]);
    const events = await stock.query(
      `select payload->>'reason' as reason from outbox
       where topic = 'warehouse.reservation.ended' and key = any($1)`,
      [short.map(({ orderId }) => orderId)],
    );
    expect(events).toEqual([{ reason: 'OUT_OF_STOCK' }, { reason: 'OUT_OF_STOCK' }]);
  });

  it('never commits units that became unavailable meanwhile', async () => {
    const shop = await stockUp(engine, [2]);
    const orderId = newId();
    await reserve([{ shopId: shop.shopId, sku: shop.sku, quantity: 2 }], orderId);
    const about = { warehouse: warehouseOf(shop), sku: shop.sku, reason: 'damaged', actor: 'test' };
    await markUnavailable(engine, { ...about, delta: 1 });
    expect(await levelsOf(shop)).toEqual([[2, 0, 1, 1]]);
    const { state, reason } = await commitReservation(engine, { orderId, paymentId: newId() });
    expect([state, reason]).toEqual(['RELEASED', 'OUT_OF_STOCK']);
    expect(await itemOf(shop)).toMatchObject({ available: 1 });
  });
});
