import { endSale, lineOf, putInSale, requestOf, saleStock } from '../../../tests/harness/sales.js';
import { openStock, stockUp, type TestStock } from '../../../tests/harness/stock-engine.js';
import { type ReserveLine, saleGraceMs } from '../../contracts/reservation.js';
import type { StockKey } from '../../contracts/stock-key.js';
import { newId } from '../../shared/ids.js';
import { setWarehouseActive } from '../activation/set-warehouse-active.js';
import { expireReservations } from '../expiry/expire-reservations.js';
import type { Warehouse } from '../warehouse/warehouse.js';
import { commitReservation, releaseReservation, reserveStock, type StockEngine } from './engine.js';

describe('reserving units of a sale', () => {
  let stock: TestStock;
  let engine: StockEngine;
  beforeAll(async () => {
    stock = await openStock();
    engine = await stock.engine();
  });
  afterEach(() => stock.expectStockInvariants());
  afterAll(() => stock.close());

  const reserve = (...lines: ReserveLine[]) => reserveStock(engine, requestOf(...lines));
  const pay = (orderId: string) => commitReservation(engine, { orderId, paymentId: newId() });
  const cancel = (orderId: string) =>
    releaseReservation(engine, { orderId, reason: 'BY_CUSTOMER' });
  const itemOf = async ({ shopId, sku }: StockKey) => {
    const [item] = await stock.query(
      `select available, set_aside as "setAside" from stock_item where shop_id = $1 and sku = $2`,
      [shopId, sku],
    );
    return item;
  };
  const linesOf = (orderId: string) =>
    stock.query(
      `select quantity, sale_id as "saleId" from reservation_line where order_id = $1
       order by quantity`,
      [orderId],
    );
  const noSale = '00000000-0000-0000-0000-000000000000';

  it('leaves units that are set aside to the sale, and the rest to regular buyers', async () => {
    const key = await stockUp(engine, [10]);
    const { saleId } = await putInSale(engine, key, 6);
    expect(await reserve(lineOf(key, 5))).toMatchObject({
      state: 'SHORT',
      shortages: [{ requested: 5, available: 4 }],
    });
    expect(await reserve(lineOf(key, 4))).toMatchObject({ state: 'HELD' });
    expect(await reserve(lineOf(key, 6, saleId))).toMatchObject({ state: 'HELD' });
    expect(await itemOf(key)).toEqual({ available: 0, setAside: 0 });
    expect(await saleStock(engine, saleId)).toMatchObject({ allocated: 6, held: 6, sold: 0 });
  });

  it('sells no more than is allocated, though more is available', async () => {
    const key = await stockUp(engine, [10]);
    const { saleId } = await putInSale(engine, key, 3);
    expect(await reserve(lineOf(key, 4, saleId))).toMatchObject({
      state: 'SHORT',
      shortages: [{ requested: 4, available: 3, saleId, saleShortage: 'HELD' }],
    });
    expect((await reserve(lineOf(key, 3, saleId))).state).toBe('HELD');
    expect((await reserve(lineOf(key, 7))).state).toBe('HELD');
  });

  it('puts released and expired units back into the sale, and counts paid ones as sold', async () => {
    const key = await stockUp(engine, [10]);
    const { saleId } = await putInSale(engine, key, 6);
    const [paid, released, expired] = await Promise.all(
      [1, 2, 3].map((units) => reserve(lineOf(key, units, saleId))),
    );
    expect(await saleStock(engine, saleId)).toMatchObject({ held: 6, sold: 0, remaining: 0 });
    await pay(paid?.orderId as string);
    await cancel(released?.orderId as string);
    const orderId = expired?.orderId as string;
    await stock.query('update reservation set expires_at = now() where order_id = $1', [orderId]);
    expect(await expireReservations(engine, [orderId])).toEqual([orderId]);
    expect(await saleStock(engine, saleId)).toEqual({
      shopId: key.shopId,
      sku: key.sku,
      allocated: 6,
      held: 0,
      sold: 1,
      remaining: 5,
    });
    expect(await itemOf(key)).toEqual({ available: 9, setAside: 5 });
  });

  it('says why a sale has too few units: they are held, they are sold, or it is over', async () => {
    const key = await stockUp(engine, [4]);
    const { saleId } = await putInSale(engine, key, 2);
    const whyShort = async () => {
      const outcome = await reserve(lineOf(key, 1, saleId));
      return outcome.state === 'SHORT' ? outcome.shortages[0]?.saleShortage : outcome.state;
    };
    const held = await reserve(lineOf(key, 2, saleId));
    expect(await whyShort()).toBe('HELD');
    await pay(held.orderId);
    expect(await whyShort()).toBe('SOLD_OUT');
    await endSale(stock, key, saleGraceMs + 1000);
    expect(await whyShort()).toBe('OVER');
    const another = lineOf(key, 1, newId());
    expect(await reserve(another)).toMatchObject({ shortages: [{ saleShortage: 'OVER' }] });
  });

  it('says that units are held, not that the sale is over, while a sale has none of an item left', async () => {
    const key = await stockUp(engine, [4]);
    const { saleId } = await putInSale(engine, key, 2);
    const lowerTo = async (units: number) =>
      expect((await putInSale(engine, key, units, { saleId })).refused).toEqual([]);
    const one = lineOf(key, 1, saleId);
    const short = { state: 'SHORT', shortages: [{ available: 0, saleId, saleShortage: 'HELD' }] };
    await lowerTo(0);
    expect(await reserve(one)).toMatchObject(short);
    await lowerTo(2);
    const { orderId } = await reserve(one);
    await lowerTo(1);
    expect(await reserve(one)).toMatchObject(short);
    await pay(orderId);
    expect(await reserve(one)).toMatchObject({ shortages: [{ saleShortage: 'SOLD_OUT' }] });
  });

  it('reserves regular units and units of a sale for one order, on the same level', async () => {
    const key = await stockUp(engine, [10]);
    const { saleId } = await putInSale(engine, key, 6);
    const tooMany = await reserve(lineOf(key, 5), lineOf(key, 2, saleId));
    expect(tooMany).toMatchObject({ state: 'SHORT', shortages: [{ requested: 5, available: 4 }] });
    const both = await reserve(lineOf(key, 4), lineOf(key, 2, saleId));
    expect(await linesOf(both.orderId)).toEqual([
      { quantity: 2, saleId },
      { quantity: 4, saleId: noSale },
    ]);
    expect(await itemOf(key)).toEqual({ available: 4, setAside: 4 });
    await pay(both.orderId);
    expect(await saleStock(engine, saleId)).toMatchObject({ held: 0, sold: 2, remaining: 4 });
  });

  it('divides an order between levels, each with the units of its sale', async () => {
    const key = await stockUp(engine, [3, 3]);
    const { saleId } = await putInSale(engine, key, 4);
    const both = await reserve(lineOf(key, 2), lineOf(key, 4, saleId));
    expect(both.state).toBe('HELD');
    const lines = (await linesOf(both.orderId)) as { quantity: number; saleId: string }[];
    const ofSale = lines.filter((line) => line.saleId === saleId);
    expect(ofSale.reduce((sum, { quantity }) => sum + quantity, 0)).toBe(4);
    expect(lines).toHaveLength(3);
    await cancel(both.orderId);
    expect(await itemOf(key)).toEqual({ available: 6, setAside: 4 });
  });

  it('frees what a sale has not sold at its end, with no action by anyone', async () => {
    const key = await stockUp(engine, [10]);
    const { saleId } = await putInSale(engine, key, 8);
    const held = await reserve(lineOf(key, 3, saleId));
    await endSale(stock, key);
    expect((await reserve(lineOf(key, 7))).state).toBe('HELD');
    await cancel(held.orderId);
    expect((await reserve(lineOf(key, 3))).state).toBe('HELD');
    expect(await itemOf(key)).toEqual({ available: 0, setAside: 8 });
  });

  it('sells to orders that were decided in time for a while after the end, as far as there are units', async () => {
    const key = await stockUp(engine, [5]);
    const { saleId } = await putInSale(engine, key, 5);
    await endSale(stock, key, saleGraceMs / 2);
    expect((await reserve(lineOf(key, 3))).state).toBe('HELD');
    expect((await reserve(lineOf(key, 2, saleId))).state).toBe('HELD');
    expect(await reserve(lineOf(key, 1, saleId))).toMatchObject({
      state: 'SHORT',
      shortages: [{ available: 0 }],
    });
  });

  it('takes no unit twice for an order with units of a sale that has ended', async () => {
    const key = await stockUp(engine, [5]);
    const { saleId } = await putInSale(engine, key, 4);
    await endSale(stock, key);
    expect(await reserve(lineOf(key, 3), lineOf(key, 3, saleId))).toMatchObject({
      state: 'SHORT',
      shortages: [{ requested: 3, available: 2 }],
    });
    expect((await reserve(lineOf(key, 2), lineOf(key, 3, saleId))).state).toBe('HELD');
  });

  it('sells what there is when a warehouse is closed, and nothing to regular buyers', async () => {
    const key = await stockUp(engine, [4, 6]);
    const { saleId } = await putInSale(engine, key, 8);
    await setWarehouseActive(engine, key.warehouses[1] as Warehouse, false, 'test');
    expect(await reserve(lineOf(key, 1))).toMatchObject({ shortages: [{ available: 0 }] });
    expect(await reserve(lineOf(key, 5, saleId))).toMatchObject({
      shortages: [{ available: 4, saleShortage: 'HELD' }],
    });
    expect((await reserve(lineOf(key, 4, saleId))).state).toBe('HELD');
  });

  it('frees units that were held when their sale was cancelled for everybody', async () => {
    const key = await stockUp(engine, [10]);
    const { saleId } = await putInSale(engine, key, 6);
    const [kept, paid] = await Promise.all([
      reserve(lineOf(key, 2, saleId)),
      reserve(lineOf(key, 1, saleId)),
    ]);
    await putInSale(engine, key, null, { saleId });
    expect(await itemOf(key)).toEqual({ available: 7, setAside: 0 });
    expect(await reserve(lineOf(key, 1, saleId))).toMatchObject({
      shortages: [{ saleShortage: 'OVER' }],
    });
    await pay(paid?.orderId as string);
    await cancel(kept?.orderId as string);
    expect(await itemOf(key)).toEqual({ available: 9, setAside: 0 });
    expect(await saleStock(engine, saleId)).toMatchObject({ allocated: 3, held: 0, sold: 1 });
  });

  it('sends an event when the regular units or those of the sale run out or come back', async () => {
    const key = await stockUp(engine, [5]);
    const eventsOf = async () => {
      const rows = await stock.query<{ inStock: boolean; inSale?: boolean }>(
        `select payload->'inStock' as "inStock", payload->'saleInStock' as "inSale" from outbox
         where topic = 'warehouse.stock.changed' and payload->>'sku' = $1 order by version`,
        [key.sku],
      );
      return rows.map(({ inStock, inSale }) => [inStock, inSale ?? false]);
    };
    await stock.query('delete from outbox');
    const { saleId } = await putInSale(engine, key, 3);
    const events = [[true, true]];
    expect(await eventsOf()).toEqual(events);
    const regular = await reserve(lineOf(key, 2));
    events.push([false, true]);
    expect(await eventsOf()).toEqual(events);
    await reserve(lineOf(key, 2, saleId));
    expect(await eventsOf()).toEqual(events);
    const last = await reserve(lineOf(key, 1, saleId));
    events.push([false, false]);
    expect(await eventsOf()).toEqual(events);
    await cancel(regular.orderId);
    events.push([true, false]);
    expect(await eventsOf()).toEqual(events);
    await cancel(last.orderId);
    events.push([true, true]);
    expect(await eventsOf()).toEqual(events);
  });
});
