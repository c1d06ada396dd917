import { jest } from '@jest/globals';
import { logger, openStock, stockUp, type TestStock } from '../../../tests/harness/stock-engine.js';
import { prunablesOf, prune } from '../../shared/database/prune.js';
import { newId, newIdAt } from '../../shared/ids.js';
import { onUnitsCancelled } from '../fulfilment/on-units-cancelled.js';
import { onUnitsShipped } from '../fulfilment/on-units-shipped.js';
import { commitReservation, releaseReservation, reserveStock, type StockEngine } from './engine.js';
import { Reservation } from './reservation.js';

const dayMs = 24 * 3_600_000;
const quantity = 2;

let stock: TestStock;
let engine: StockEngine;
let shop: Awaited<ReturnType<typeof stockUp>>;
beforeAll(async () => {
  stock = await openStock();
  engine = await stock.engine();
});
beforeEach(async () => {
  shop = await stockUp(engine, [100]);
});
afterEach(async () => {
  jest.restoreAllMocks();
  await stock.expectStockInvariants();
});
afterAll(() => stock.close());

const reserve = (orderId: string) =>
  reserveStock(engine, { orderId, lines: [{ ...shop, quantity }], reserveForMs: 3_600_000 });

/** Reserves units for an order that is so many days old, on the day on which it was placed. */
async function reserveEarlier(days: number): Promise<string> {
  const placedAtMs = Date.now() - days * dayMs;
  jest.spyOn(Date, 'now').mockReturnValue(placedAtMs);
  const orderId = newIdAt(placedAtMs);
  const { state } = await reserve(orderId);
  jest.restoreAllMocks();
  expect(state).toBe('HELD');
  return orderId;
}
const setDone = (orderId: string, days: number) =>
  stock.query(
    `update reservation set done_at = now() - $2 * interval '1 day'
     where order_id = $1 and done_at is not null`,
    [orderId, days],
  );
const commit = (orderId: string) => commitReservation(engine, { orderId, paymentId: newId() });
const release = (orderId: string) => releaseReservation(engine, { orderId, reason: 'ABANDONED' });
const pruneReservations = () =>
  prune(engine.orm.em, prunablesOf(engine.orm.em, [Reservation]), logger);
const rowsOf = async (orderId: string) => {
  const [row] = await stock.query<{ reservations: number; lines: number; done: boolean }>(
    `select (select count(*) from reservation where order_id = $1)::int as reservations,
       (select count(*) from reservation_line where order_id = $1)::int as lines,
       exists (select from reservation where order_id = $1 and done_at is not null) as done`,
    [orderId],
  );
  return row;
};
const none = { reservations: 0, lines: 0, done: false };
const about = (orderId: string) => {
  const { shopId, sku } = shop;
  return { orderId, shopOrderId: newId(), shopId, lines: [{ sku, quantity: 1 }] };
};
const context = () => ({ app: engine, logger }) as never;
const ship = (orderId: string) =>
  engine.orm.em.fork().transactional((em) => {
    const shipment = { shipmentId: newId(), shippedAt: new Date().toISOString() };
    return onUnitsShipped(em, {} as never, { ...about(orderId), ...shipment } as never, context());
  });
const cancelUnit = (orderId: string) =>
  engine.orm.em.fork().transactional((em) => {
    const cancellation = { cancellationId: newId(), reason: 'CUSTOMER_REQUEST' };
    const payload = { ...about(orderId), ...cancellation };
    return onUnitsCancelled(em, {} as never, payload as never, context());
  });

describe('a reservation', () => {
  it('that ended 90 days ago is deleted with its lines; one that ended later is not', async () => {
    const [old, recent] = [await reserveEarlier(100), await reserveEarlier(100)];
    for (const orderId of [old, recent]) await release(orderId);
    await setDone(old, 91);
    await setDone(recent, 89);
    expect(await pruneReservations()).toBe(1);
    expect(await rowsOf(old)).toEqual(none);
    expect(await rowsOf(recent)).toEqual({ reservations: 1, lines: 1, done: true });
  });

  it('that refused a request which arrived too late is deleted, too', async () => {
    const orderId = newId();
    await release(orderId);
    await setDone(orderId, 91);
    expect(await pruneReservations()).toBe(1);
    expect(await rowsOf(orderId)).toEqual(none);
  });

  it('that was paid is deleted 90 days after its last unit was shipped or cancelled', async () => {
    const orderId = await reserveEarlier(200);
    await commit(orderId);
    await ship(orderId);
    expect((await rowsOf(orderId))?.done).toBe(false);
    await cancelUnit(orderId);
    expect((await rowsOf(orderId))?.done).toBe(true);
    expect(await pruneReservations()).toBe(0);
    await setDone(orderId, 91);
    expect(await pruneReservations()).toBe(1);
    expect(await rowsOf(orderId)).toEqual(none);
  });

  it('that is held, or paid and not shipped, is kept however old it is', async () => {
    const [held, paid] = [await reserveEarlier(400), await reserveEarlier(400)];
    await commit(paid);
    await ship(paid);
    for (const orderId of [held, paid]) await setDone(orderId, 400);
    expect(await pruneReservations()).toBe(0);
    for (const orderId of [held, paid]) {
      expect(await rowsOf(orderId)).toEqual({ reservations: 1, lines: 1, done: false });
    }
  });

  it('of an order so old that it may have been deleted is not decided a second time', async () => {
    const orderId = newIdAt(Date.now() - 90 * dayMs);
    const [before] = await stock.query('select count(*) from reservation');
    expect(await reserve(orderId)).toEqual({ orderId, state: 'RELEASED' });
    expect(await commit(orderId)).toEqual({ orderId, state: 'RELEASED', paymentId: null });
    expect(await release(orderId)).toEqual({ orderId, state: 'RELEASED', paymentId: null });
    expect(await rowsOf(orderId)).toEqual(none);
    expect(await stock.query('select count(*) from reservation')).toEqual([before]);
    expect((await reserve(newIdAt(Date.now() - 80 * dayMs))).state).toBe('HELD');
  });

  it('of an old order that was not deleted is answered as it is', async () => {
    const orderId = await reserveEarlier(100);
    expect((await reserve(orderId)).state).toBe('HELD');
    expect((await commit(orderId)).state).toBe('COMMITTED');
    expect((await reserve(orderId)).state).toBe('COMMITTED');
  });

  it('that is gone makes an event which arrives again change nothing', async () => {
    const orderId = await reserveEarlier(200);
    await commit(orderId);
    await ship(orderId);
    await ship(orderId);
    await setDone(orderId, 91);
    await pruneReservations();
    const levels = () => stock.query('select on_hand, committed from stock_level order by id');
    const before = await levels();
    await ship(orderId);
    await cancelUnit(orderId);
    expect(await levels()).toEqual(before);
  });
});
