import { logger, openStock, stockUp, type TestStock } from '../../../tests/harness/stock-engine.js';
import type { ReserveRequest } from '../../contracts/reservation.js';
import type { StockKey } from '../../contracts/stock-key.js';
import { isLockTimeout } from '../../shared/database/errors.js';
import { newId } from '../../shared/ids.js';
import { setWarehouseActive } from '../activation/set-warehouse-active.js';
import type { Warehouse } from '../warehouse/warehouse.js';
import { decideReservations, type ReserveOutcome } from './decide-reservations.js';
import { createStockLocks } from './dispatcher/stock-locks.js';
import {
  commitReservation,
  releaseReservation,
  reserveStock,
  reserveStockBefore,
  type StockEngine,
} from './engine.js';

const reserveForMs = 3_600_000;
const request = (key: StockKey, quantity: number, orderId = newId()): ReserveRequest => {
  return { orderId, lines: [{ shopId: key.shopId, sku: key.sku, quantity }], reserveForMs };
};

describe('reserving stock', () => {
  let stock: TestStock;
  let engine: StockEngine & { timerRedis: { exists(key: string): Promise<number> } };
  beforeAll(async () => {
    stock = await openStock();
    engine = await stock.engine();
  });
  afterEach(() => stock.expectStockInvariants());
  afterAll(() => stock.close());

  const itemOf = async ({ shopId, sku }: StockKey) => {
    const [item] = await stock.query<{ available: number; version: number }>(
      'select available, version from stock_item where shop_id = $1 and sku = $2',
      [shopId, sku],
    );
    return item;
  };
  const movementsOf = (orderId: string) =>
    stock.query(
      'select type, on_hand_delta, reserved_delta from stock_movement where reference = $1',
      [orderId],
    );

  /** Decides in a transaction of its own, which waits for the others as long as it takes. */
  async function decideAlone(request: ReserveRequest): Promise<ReserveOutcome[]> {
    try {
      return await decideReservations(engine, [request]);
    } catch (error) {
      if (isLockTimeout(error)) return decideAlone(request);
      throw error;
    }
  }

  it('reserves the units, for a time by PostgreSQL’s clock', async () => {
    const key = await stockUp(engine, [10]);
    const outcome = await reserveStock(engine, request(key, 4));
    expect(outcome.state).toBe('HELD');
    const [row] = await stock.query<{ left: number }>(
      `select extract(epoch from expires_at - created_at)::float * 1000 as left
       from reservation where order_id = $1`,
      [outcome.orderId],
    );
    expect(row?.left).toBe(reserveForMs);
    expect(await itemOf(key)).toEqual({ available: 6, version: 2 });
    expect(await movementsOf(outcome.orderId)).toEqual([
      { type: 'RESERVATION', on_hand_delta: 0, reserved_delta: 4 },
    ]);
  });

  it('reserves nothing for an order with one line too many, and says how many units are available', async () => {
    const [plenty, scarce] = [await stockUp(engine, [10]), await stockUp(engine, [1])];
    const orderId = newId();
    const lines = [
      { shopId: plenty.shopId, sku: plenty.sku, quantity: 2 },
      { shopId: scarce.shopId, sku: scarce.sku, quantity: 2 },
    ];
    expect(await reserveStock(engine, { orderId, lines, reserveForMs })).toEqual({
      orderId,
      state: 'SHORT',
      shortages: [{ shopId: scarce.shopId, sku: scarce.sku, requested: 2, available: 1 }],
    });
    expect((await itemOf(plenty))?.available).toBe(10);
    expect(await movementsOf(orderId)).toEqual([]);
  });

  it('adds up two lines of the same sku before it decides', async () => {
    const key = await stockUp(engine, [3]);
    const line = { shopId: key.shopId, sku: key.sku, quantity: 2 };
    const outcome = await reserveStock(engine, {
      orderId: newId(),
      lines: [line, line],
      reserveForMs,
    });
    expect(outcome).toMatchObject({ state: 'SHORT', shortages: [{ requested: 4, available: 3 }] });
  });

  it('decides simultaneous requests in their order, in one commit', async () => {
    const key = await stockUp(engine, [5]);
    const requests = [request(key, 3), request(key, 3), request(key, 2)];
    const outcomes = await Promise.all(requests.map((each) => reserveStock(engine, each)));
    expect(outcomes.map(({ state }) => state)).toEqual(['HELD', 'SHORT', 'HELD']);
    expect(await itemOf(key)).toEqual({ available: 0, version: 2 });
  });

  it('serves one order from several warehouses when none has enough', async () => {
    const key = await stockUp(engine, [2, 3]);
    const outcome = await reserveStock(engine, request(key, 4));
    const lines = await stock.query<{ quantity: number }>(
      'select quantity from reservation_line where order_id = $1 order by quantity desc',
      [outcome.orderId],
    );
    expect(lines).toEqual([{ quantity: 2 }, { quantity: 2 }]);
  });

  it('does not sell from an inactive warehouse', async () => {
    const key = await stockUp(engine, [5]);
    await setWarehouseActive(engine, key.warehouses[0] as Warehouse, false, 'test');
    const outcome = await reserveStock(engine, request(key, 1));
    expect(outcome).toMatchObject({ state: 'SHORT', shortages: [{ available: 0 }] });
  });

  it('reserves once for two requests of the same order, one after the other or at the same time', async () => {
    const key = await stockUp(engine, [10]);
    const once = request(key, 2);
    const first = await reserveStock(engine, once);
    expect(await reserveStock(engine, once)).toEqual(first);
    const twice = request(key, 2);
    const both = await Promise.all([reserveStock(engine, twice), reserveStock(engine, twice)]);
    expect(both[0]).toEqual(both[1]);
    const thrice = request(key, 2);
    await Promise.all(Array.from({ length: 5 }, () => decideAlone(thrice)));
    expect((await itemOf(key))?.available).toBe(4);
  });

  it('decides a request with other lines for the same order by those lines', async () => {
    const key = await stockUp(engine, [3]);
    const orderId = newId();
    const outcomes = await Promise.all([
      reserveStock(engine, request(key, 5, orderId)),
      reserveStock(engine, request(key, 2, orderId)),
    ]);
    expect(outcomes.map(({ state }) => state)).toEqual(['SHORT', 'HELD']);
  });

  it('puts the same request into the queue once while it is undecided', async () => {
    const key = await stockUp(engine, [10]);
    const same = request(key, 2);
    const [first, second] = [reserveStock(engine, same), reserveStock(engine, same)];
    expect(second).toBe(first);
    await first;
    expect(engine.undecided.size).toBe(0);
  });

  it('keeps what it decided for a caller that was answered WAITING, also a refusal, and once', async () => {
    let queued = 0;
    const decisions: PromiseWithResolvers<ReserveOutcome>[] = [];
    const slow = {
      undecided: new Map(),
      reserving: {
        submit() {
          queued += 1;
          const decision = Promise.withResolvers<ReserveOutcome>();
          decisions.push(decision);
          return decision.promise;
        },
      },
    } as unknown as StockEngine;
    const same = request({ shopId: newId(), sku: 'S' } as StockKey, 1);
    const ask = () => reserveStockBefore(slow, same, Promise.resolve(null));
    expect([await ask(), await ask()]).toEqual([null, null]);
    decisions[0]?.reject(new Error('busy'));
    await new Promise(setImmediate);
    await expect(reserveStock(slow, same)).rejects.toThrow('busy');
    expect([queued, slow.undecided.size]).toEqual([1, 0]);
    // A new attempt after the refusal is a new request.
    const next = reserveStock(slow, same);
    expect(queued).toBe(2);
    decisions[1]?.reject(new Error('still busy'));
    await expect(next).rejects.toThrow('still busy');
    expect(slow.undecided.size).toBe(0);
  });

  it('does not report SHORT to an order that reserved the last units itself, with simultaneous requests', async () => {
    for (let round = 0; round < 5; round++) {
      const key = await stockUp(engine, [2]);
      const all = request(key, 2);
      const outcomes = await Promise.all(Array.from({ length: 4 }, () => decideAlone(all)));
      expect(outcomes.flat().map(({ state }) => state)).toEqual(['HELD', 'HELD', 'HELD', 'HELD']);
    }
  });

  it('keeps its locks in the configured Redis database', async () => {
    const key = await stockUp(engine, [2]);
    const locks = await stock.redisAt(2);
    const lock = await createStockLocks([locks], logger).lock([key.sku], () => true);
    expect(await locks.exists(`lock:sku:${key.sku}`)).toBe(1);
    await lock?.release();
    expect(await locks.exists(`lock:sku:${key.sku}`)).toBe(0);
  });

  it('refuses a reservation that arrives after its release', async () => {
    const key = await stockUp(engine, [10]);
    const late = request(key, 2);
    await releaseReservation(engine, { orderId: late.orderId, reason: 'ABANDONED' });
    const outcome = await reserveStock(engine, late);
    expect(outcome.state).toBe('RELEASED');
    expect((await itemOf(key))?.available).toBe(10);
  });

  it('never reserves more than is available for twenty simultaneous requests, each in its own transaction', async () => {
    const key = await stockUp(engine, [4, 3]);
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, () => decideAlone(request(key, 1))),
    );
    expect(outcomes.flat().filter(({ state }) => state === 'HELD')).toHaveLength(7);
  });

  it('sets a timer for each reservation and removes it when the reservation ends', async () => {
    const key = await stockUp(engine, [10]);
    const { orderId } = await reserveStock(engine, request(key, 1));
    expect(await engine.timerRedis.exists(`reservation:${orderId}`)).toBe(1);
    await commitReservation(engine, { orderId, paymentId: newId() });
    expect(await engine.timerRedis.exists(`reservation:${orderId}`)).toBe(0);
  });
});
