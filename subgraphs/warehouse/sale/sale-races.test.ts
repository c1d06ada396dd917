import { startPostgresProxy } from '../../../tests/harness/postgres-proxy.js';
import { endSale, lineOf, putInSale, requestOf, saleStock } from '../../../tests/harness/sales.js';
import { openStock, stockUp, type TestStock } from '../../../tests/harness/stock-engine.js';
import { retryWhileBusy } from '../../../tests/harness/wait.js';
import type { StockKey } from '../../contracts/stock-key.js';
import { newId } from '../../shared/ids.js';
import { expireReservations } from '../expiry/expire-reservations.js';
import type { ReserveOutcome } from '../reservation/decide-reservations.js';
import {
  commitReservation,
  releaseReservation,
  reserveStock,
  type StockEngine,
} from '../reservation/engine.js';

type TestEngine = Awaited<ReturnType<TestStock['engine']>>;

describe('a crowd that buys regular units and units of a sale of one SKU, in two processes', () => {
  let stock: TestStock;
  let engines: readonly [TestEngine, TestEngine];
  beforeAll(async () => {
    stock = await openStock();
    const limits = { batchMax: 4, lockHoldMaxMs: 0 };
    engines = [await stock.engine({ limits }), await stock.engine({ limits })];
  });
  afterEach(() => stock.expectStockInvariants());
  afterAll(() => stock.close());

  const engineOf = (n: number) => engines[n % 2] as TestEngine;
  const buy = (n: number, key: StockKey, units: number, saleId?: string, engine = engineOf(n)) => {
    const request = requestOf(lineOf(key, units, saleId));
    return retryWhileBusy(() => reserveStock(engine, request));
  };
  const end = (n: number, orderId: string) =>
    retryWhileBusy(async () => {
      const engine = engineOf(n);
      const payment = { orderId, paymentId: newId() };
      return n % 3 === 0
        ? releaseReservation(engine, { orderId, reason: 'BY_CUSTOMER' })
        : commitReservation(engine, payment);
    });
  const held = (outcomes: readonly ReserveOutcome[]) =>
    outcomes.filter(({ state }) => state === 'HELD').length;
  const each = <T>(count: number, work: (n: number) => Promise<T>) =>
    Promise.all(Array.from({ length: count }, (_, n) => work(n)));
  const available = async ({ shopId }: StockKey) => {
    const [item] = await stock.query<{ available: number }>(
      'select available from stock_item where shop_id = $1',
      [shopId],
    );
    return item?.available;
  };

  it('never crosses the fence, from either side', async () => {
    const key = await stockUp(engines[0], [20, 10]);
    const { saleId } = await putInSale(engines[0], key, 12);
    const [regular, ofSale] = await Promise.all([
      each(40, (n) => buy(n, key, 1)),
      each(40, (n) => buy(n, key, 1, saleId)),
    ]);
    expect(held(regular)).toBe(18);
    expect(held(ofSale)).toBe(12);
    expect(await available(key)).toBe(0);
  });

  it('sells all of the allocation, and no more, while buyers pay and give up', async () => {
    const key = await stockUp(engines[0], [30]);
    const { saleId } = await putInSale(engines[0], key, 15);
    await each(60, async (n) => {
      const isOfSale = n % 2 === 0;
      const outcome = await buy(n, key, 1 + (n % 3), isOfSale ? saleId : undefined);
      const {
        allocated = 0,
        held = 0,
        sold: paid = 0,
      } = (await saleStock(engines[0], saleId)) ?? {};
      expect(held + paid).toBeLessThanOrEqual(allocated);
      if (outcome.state === 'HELD') await end(n, outcome.orderId);
    });
    for (let n = 1; (await saleStock(engines[0], saleId))?.remaining; n++) {
      const outcome = await buy(n, key, 1, saleId);
      await commitReservation(engineOf(n), { orderId: outcome.orderId, paymentId: newId() });
    }
    expect(await saleStock(engines[0], saleId)).toMatchObject({ held: 0, sold: 15 });
    expect(await buy(0, key, 1, saleId)).toMatchObject({
      shortages: [{ saleShortage: 'SOLD_OUT' }],
    });
  });

  it('buys what the sale leaves at its end, with no action by anyone', async () => {
    const key = await stockUp(engines[0], [20]);
    const { saleId } = await putInSale(engines[0], key, 20);
    const [ofSale, , regular] = await Promise.all([
      each(20, (n) => buy(n, key, 1, saleId)),
      endSale(stock, key),
      each(40, (n) => buy(n, key, 1)),
    ]);
    const more = await each(20, (n) => buy(n, key, 1));
    expect(held(ofSale) + held(regular) + held(more)).toBe(20);
    expect(await available(key)).toBe(0);
  });

  it('keeps the fence when expired units come back while others buy', async () => {
    const key = await stockUp(engines[0], [20]);
    const { saleId } = await putInSale(engines[0], key, 10);
    const first = await each(10, (n) => buy(n, key, 1, saleId));
    const orderIds = first.map(({ orderId }) => orderId);
    await stock.query('update reservation set expires_at = now() where order_id = any($1)', [
      orderIds,
    ]);
    const [, regular] = await Promise.all([
      each(10, (n) => expireReservations(engineOf(n), [orderIds[n] as string])),
      each(30, (n) => buy(n, key, 1)),
    ]);
    expect(held(regular)).toBe(10);
    await expireReservations(engines[0], orderIds);
    expect(held(await each(20, (n) => buy(n, key, 1, saleId)))).toBe(10);
  });

  it('is served right while the sale is raised, lowered and cancelled', async () => {
    const key = await stockUp(engines[0], [30]);
    const { saleId } = await putInSale(engines[0], key, 10);
    const change = (units: number | null) => putInSale(engines[0], key, units, { saleId });
    const [regular, ofSale] = await Promise.all([
      each(30, (n) => buy(n, key, 1)),
      each(30, (n) => buy(n, key, 1, saleId)),
      (async () => {
        for (const units of [12, 4, 15, null]) await retryWhileBusy(() => change(units));
      })(),
    ]);
    const more = await each(30, (n) => buy(n, key, 1));
    expect(held(regular) + held(ofSale) + held(more)).toBe(30);
    const { allocated, held: stillHeld } = (await saleStock(engines[0], saleId)) ?? {};
    expect(stillHeld).toBe(allocated);
  });

  it('loses no unit to FLUSHALL', async () => {
    const key = await stockUp(engines[0], [20]);
    const { saleId } = await putInSale(engines[0], key, 8);
    const [regular, ofSale] = await Promise.all([
      each(30, (n) => buy(n, key, 1)),
      each(30, (n) => buy(n, key, 1, saleId)),
      each(5, () => engines[0].timerRedis.flushall()),
    ]);
    expect(held(regular)).toBe(12);
    expect(held(ofSale)).toBe(8);
  });

  it.each(['before it reaches PostgreSQL', 'after PostgreSQL has committed'] as const)(
    'holds and sells each unit once when connections are lost at COMMIT, %s',
    async (point) => {
      const proxy = await startPostgresProxy(stock.url);
      const behindProxy: StockEngine = await stock.engine({ databaseUrl: proxy.url });
      const key = await stockUp(behindProxy, [10]);
      const { saleId } = await putInSale(behindProxy, key, 6);
      proxy.cutNextCommit(point);
      const [paid, left] = [
        requestOf(lineOf(key, 2), lineOf(key, 3, saleId)),
        requestOf(lineOf(key, 2, saleId)),
      ];
      const outcomes = await Promise.all([paid, left].map((one) => reserveStock(behindProxy, one)));
      expect(held(outcomes)).toBe(2);
      proxy.cutNextCommit(point);
      const ended = await Promise.all([
        commitReservation(behindProxy, { orderId: paid.orderId, paymentId: newId() }),
        releaseReservation(behindProxy, { orderId: left.orderId, reason: 'BY_CUSTOMER' }),
      ]);
      expect(ended).toMatchObject([{ state: 'COMMITTED' }, { state: 'RELEASED' }]);
      expect(proxy.cuts()).toBe(2);
      const after = { held: 0, sold: 3, remaining: 3 };
      expect(await saleStock(engines[0], saleId)).toMatchObject(after);
      expect(await available(key)).toBe(5);
      await proxy.stop();
    },
  );
});
