import { type CutPoint, startPostgresProxy } from '../../../tests/harness/postgres-proxy.js';
import { logger, openStock, stockUp, type TestStock } from '../../../tests/harness/stock-engine.js';
import { eventually, retryWhileBusy } from '../../../tests/harness/wait.js';
import type { StockKey } from '../../contracts/stock-key.js';
import { newId } from '../../shared/ids.js';
import { setWarehouseActive } from '../activation/set-warehouse-active.js';
import { receiveStock } from '../stock/receive-stock.js';
import type { Warehouse } from '../warehouse/warehouse.js';
import { createStockLocks, type StockLocks } from './dispatcher/stock-locks.js';
import { commitReservation, releaseReservation, reserveStock } from './engine.js';

const request = ({ shopId, sku }: StockKey, quantity = 1, orderId = newId()) => {
  return { orderId, lines: [{ shopId, sku, quantity }], reserveForMs: 3_600_000 };
};

describe('the stock engine when its database or locks fail', () => {
  let stock: TestStock;
  beforeAll(async () => {
    stock = await openStock();
  });
  afterEach(() => stock.expectStockInvariants());
  afterAll(() => stock.close());

  const availableOf = async ({ shopId }: StockKey) => {
    const [item] = await stock.query<{ available: number }>(
      'select available from stock_item where shop_id = $1',
      [shopId],
    );
    return item?.available;
  };

  it('sells no unit twice when the locks are lost while they are held (FLUSHALL)', async () => {
    const lockRedis = await stock.redisAt(2);
    const real = createStockLocks([lockRedis], logger);
    let flushes = 0;
    const lostLocks: StockLocks = {
      isAlone: () => false,
      async lock(keys, isNeeded) {
        const lock = await real.lock(keys, isNeeded);
        await lockRedis.flushall();
        flushes += 1;
        return lock;
      },
    };
    const limits = { batchMax: 4, lockHoldMaxMs: 0 };
    const engines = await Promise.all([
      stock.engine({ locks: lostLocks, limits }),
      stock.engine({ locks: lostLocks, limits }),
    ]);
    const key = await stockUp(engines[0], [20]);
    // Slow enough for both engines to be in a transaction at the same time.
    await stock.query(`create function be_slow() returns trigger as
      $$ begin perform pg_sleep(0.02); return null; end; $$ language plpgsql`);
    await stock.query(`create trigger slow before insert on stock_movement
      for each statement execute function be_slow()`);
    const outcomes = await Promise.all(
      Array.from({ length: 60 }, (_, n) => {
        const one = request(key);
        return retryWhileBusy(() => reserveStock(engines[n % 2] as (typeof engines)[0], one));
      }),
    );
    expect(outcomes.filter(({ state }) => state === 'HELD')).toHaveLength(20);
    expect(flushes).toBeGreaterThan(4);
    await stock.query('drop trigger slow on stock_movement');
  });

  describe.each<CutPoint>(['before it reaches PostgreSQL', 'after PostgreSQL has committed'])(
    'a connection that is lost at COMMIT, %s',
    (point) => {
      it('makes every reservation of the batch once, and reports it as HELD', async () => {
        const proxy = await startPostgresProxy(stock.url);
        const engine = await stock.engine({ databaseUrl: proxy.url });
        const key = await stockUp(engine, [10]);
        proxy.cutNextCommit(point);
        const outcomes = await Promise.all(
          [1, 2, 3].map((n) => reserveStock(engine, request(key, n))),
        );
        expect(outcomes.map(({ state }) => state)).toEqual(['HELD', 'HELD', 'HELD']);
        expect(proxy.cuts()).toBe(1);
        expect(await availableOf(key)).toBe(4);
        await proxy.stop();
      });

      it('makes a sale and a release once', async () => {
        const proxy = await startPostgresProxy(stock.url);
        const engine = await stock.engine({ databaseUrl: proxy.url });
        const key = await stockUp(engine, [10]);
        const [sold, released] = [request(key, 2), request(key, 3)];
        await Promise.all([reserveStock(engine, sold), reserveStock(engine, released)]);
        proxy.cutNextCommit(point);
        const paymentId = newId();
        const answers = await Promise.all([
          commitReservation(engine, { orderId: sold.orderId, paymentId }),
          releaseReservation(engine, { orderId: released.orderId, reason: 'BY_CUSTOMER' }),
        ]);
        expect(answers).toMatchObject([{ state: 'COMMITTED', paymentId }, { state: 'RELEASED' }]);
        expect(proxy.cuts()).toBe(1);
        expect(await availableOf(key)).toBe(8);
        await proxy.stop();
      });

      it('counts a delivery once, though a delivery must not be repeated', async () => {
        const proxy = await startPostgresProxy(stock.url);
        const engine = await stock.engine({ databaseUrl: proxy.url });
        const { sku, warehouses, ...key } = await stockUp(engine, [10]);
        const [warehouse] = warehouses;
        if (!warehouse) throw new Error('there is a warehouse');
        proxy.cutNextCommit(point);
        const receipt = { warehouse, sku, quantity: 5, reference: null, actor: 'test' };
        expect((await receiveStock(engine, receipt)).onHand).toBe(15);
        expect(proxy.cuts()).toBe(1);
        expect(await availableOf({ sku, ...key })).toBe(15);
        await proxy.stop();
      });
    },
  );

  it('counts a delivery to a new level once when its COMMIT runs after its connection was lost', async () => {
    const proxy = await startPostgresProxy(stock.url);
    const engine = await stock.engine({ databaseUrl: proxy.url });
    const { sku, warehouses, ...key } = await stockUp(engine, [0]);
    const [warehouse] = warehouses;
    if (!warehouse) throw new Error('there is a warehouse');
    proxy.cutNextCommit('before PostgreSQL commits, which it does later');
    const receipt = { warehouse, sku, quantity: 5, reference: null, actor: 'test' };
    expect((await receiveStock(engine, receipt)).onHand).toBe(5);
    expect(proxy.cuts()).toBe(1);
    expect(await availableOf({ sku, ...key })).toBe(5);
    await proxy.stop();
  });

  it('deactivates a warehouse once when its COMMIT runs after its connection was lost', async () => {
    const proxy = await startPostgresProxy(stock.url);
    const engine = await stock.engine({ databaseUrl: proxy.url });
    const { warehouses, ...key } = await stockUp(engine, [5]);
    proxy.cutNextCommit('before PostgreSQL commits, which it does later');
    const deactivated = await setWarehouseActive(engine, warehouses[0] as Warehouse, false, 'test');
    expect(deactivated).toEqual({ units: 5, reserved: 0 });
    expect(await availableOf(key)).toBe(0);
    await proxy.stop();
  });

  it('looks up the outcome of a COMMIT when the connection is silent, and does not use that connection again', async () => {
    const proxy = await startPostgresProxy(stock.url);
    const engine = await stock.engine({ databaseUrl: proxy.url });
    const key = await stockUp(engine, [5]);
    proxy.cutNextCommit('never, but without a response');
    expect((await reserveStock(engine, request(key))).state).toBe('HELD');
    for (let n = 0; n < 3; n++) {
      expect((await reserveStock(engine, request(key))).state).toBe('HELD');
    }
    expect(await availableOf(key)).toBe(1);
    await proxy.stop();
  });

  it('a connection that is lost in a transaction goes back to the pool', async () => {
    const proxy = await startPostgresProxy(stock.url);
    const engine = await stock.engine({ databaseUrl: proxy.url });
    const key = await stockUp(engine, [20]);
    for (let lost = 0; lost < 12; lost++) {
      proxy.cutNextCommit('before it reaches PostgreSQL'); // the pool has ten connections
      expect((await reserveStock(engine, request(key))).state).toBe('HELD');
    }
    await proxy.stop();
  });

  it('a request that PostgreSQL refuses does not fail the others of its batch', async () => {
    const engine = await stock.engine();
    const key = await stockUp(engine, [10]);
    const refusedByPostgres = request({ ...key, sku: 'a NUL: \u0000' });
    const requests = [request(key, 1), request(key, 2), refusedByPostgres, request(key, 3)];
    const results = await Promise.allSettled(requests.map((each) => reserveStock(engine, each)));
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    expect(await availableOf(key)).toBe(4);
  });

  it('a process that has a lock sees when another waits for it', async () => {
    const [locks, othersLocks] = [
      createStockLocks([await stock.redisAt(2)], logger),
      createStockLocks([await stock.redisAt(2)], logger),
    ];
    // The sign of a waiting process lasts 50 ms, and is read with a timeout of 20 ms.
    await eventually(
      async () => {
        const lock = await locks.lock(['A', 'B'], () => true);
        let attempts = 0;
        expect(await othersLocks.lock(['B', 'C'], () => ++attempts < 2)).toBeNull();
        return lock?.release();
      },
      Boolean,
      1000,
    );
    const free = await othersLocks.lock(['B', 'C'], () => true);
    expect(await free?.release()).toBe(false);
  });
});
