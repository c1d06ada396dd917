import { jest } from '@jest/globals';
import { logger, openStock, stockUp, type TestStock } from '../../../tests/harness/stock-engine.js';
import { eventually, retryWhileBusy } from '../../../tests/harness/wait.js';
import { newId } from '../../shared/ids.js';
import { createInboxResolver, type OutboxEvent } from '../../shared/messaging/inbox.js';
import type { StockContext } from '../stock/stock-store.js';
import { commitReservation, releaseReservation, reserveStock, type StockEngine } from './engine.js';
import { onStockReturned } from './on-stock-returned.js';

const Inbox = createInboxResolver<StockContext>('test', {
  'order.stock.returned': onStockReturned,
});

describe('a return of sold units', () => {
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
  async function sell(...parts: [shop: Shop, quantity: number][]) {
    const orderId = newId();
    const lines = parts.map(([{ shopId, sku }, quantity]) => ({ shopId, sku, quantity }));
    expect((await reserve(lines, orderId)).state).toBe('HELD');
    await commitReservation(engine, { orderId, paymentId: newId() });
    return orderId;
  }
  const returned = (orderId: string, { shopId }: Shop): OutboxEvent => ({
    id: newId(),
    topic: 'order.stock.returned',
    key: `${orderId}:${shopId}`,
    version: 1,
    payload: JSON.stringify({ orderId, shopId, reason: 'BY_SHOP' }),
  });
  const deliver = (...events: OutboxEvent[]) => {
    const context = { em: engine.orm.em.fork(), app: engine, logger, caller: 'order' };
    return new Inbox().deliver(events, context as unknown as StockContext);
  };
  const levelsOf = async ({ shopId }: Shop) => {
    const rows = await stock.query<{ onHand: number }>(
      `select on_hand as "onHand" from stock_level l join warehouse w on w.id = warehouse_id
       where l.shop_id = $1 order by w.priority`,
      [shopId],
    );
    return rows.map(({ onHand }) => onHand);
  };
  const itemOf = async ({ shopId }: Shop) => {
    const [item] = await stock.query(
      'select available, version from stock_item where shop_id = $1',
      [shopId],
    );
    return item;
  };

  it('goes to the levels that the units were sold from, with its reason in the ledger', async () => {
    const shop = await stockUp(engine, [2, 5]);
    const orderId = await sell([shop, 6]);
    expect(await levelsOf(shop)).toEqual([0, 1]);
    const event = returned(orderId, shop);
    expect(await deliver(event)).toEqual([event.id]);
    expect(await levelsOf(shop)).toEqual([2, 5]);
    expect(
      await stock.query(
        `select sum(on_hand_delta)::int as units, min(reason) as reason, min(actor) as actor
         from stock_movement where reference = $1 and type = 'RETURN'`,
        [orderId],
      ),
    ).toEqual([{ units: 6, reason: 'BY_SHOP', actor: 'order' }]);
  });

  it('happens once when its event is delivered twice, or sent twice, at the same time', async () => {
    const shop = await stockUp(engine, [5]);
    const orderId = await sell([shop, 5]);
    const event = returned(orderId, shop);
    await Promise.all([
      deliver(event),
      deliver(event),
      deliver(returned(orderId, shop)),
      deliver(returned(orderId, shop), event),
    ]);
    expect(await deliver(event)).toEqual([event.id]);
    expect(await levelsOf(shop)).toEqual([5]);
  });

  it('returns one shop’s part of the order; that of another shop stays sold', async () => {
    const [one, other] = [await stockUp(engine, [5]), await stockUp(engine, [5])];
    const orderId = await sell([one, 2], [other, 3]);
    await deliver(returned(orderId, one));
    expect([await levelsOf(one), await levelsOf(other)]).toEqual([[5], [2]]);
  });

  it('is published to subscribers, and to the product subgraph when the item comes into stock', async () => {
    const shop = await stockUp(engine, [1]);
    const orderId = await sell([shop, 1]);
    const send = jest.spyOn(engine.signals, 'send');
    await deliver(returned(orderId, shop));
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

  it('does nothing for an order that is held, released or unknown', async () => {
    const shop = await stockUp(engine, [9]);
    const [held, released] = [newId(), newId()];
    for (const orderId of [held, released]) {
      await reserve([{ shopId: shop.shopId, sku: shop.sku, quantity: 2 }], orderId);
    }
    await releaseReservation(engine, { orderId: released, reason: 'BY_CUSTOMER' });
    const before = await itemOf(shop);
    for (const orderId of [held, released, newId()]) {
      expect(await deliver(returned(orderId, shop))).toHaveLength(1);
    }
    expect(await levelsOf(shop)).toEqual([9]);
    expect(await itemOf(shop)).toEqual(before);
  });

  it('loses and oversells nothing while others reserve', async () => {
    const shop = await stockUp(engine, [20]);
    const orders: string[] = [];
    for (let n = 0; n < 10; n++) orders.push(await sell([shop, 2]));
    const { shopId, sku } = shop;
    const [, ...outcomes] = await Promise.all([
      // A relay delivers again what was not accepted.
      Promise.all(
        orders.map((orderId) => {
          const event = returned(orderId, shop);
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
    expect(await levelsOf(shop)).toEqual([20]);
    expect(await itemOf(shop)).toMatchObject({ available: 20 - held });
  });
});
