import { type CutPoint, startPostgresProxy } from '../../../tests/harness/postgres-proxy.js';
import { lineOf, putInSale, requestOf } from '../../../tests/harness/sales.js';
import { openStock, stockUp, type TestStock } from '../../../tests/harness/stock-engine.js';
import { eventually } from '../../../tests/harness/wait.js';
import { newId } from '../../shared/ids.js';
import { expireReservations } from '../expiry/expire-reservations.js';
import { timerKey } from '../signals/reservation-timers.js';
import {
  commitReservation,
  extendReservation,
  releaseReservation,
  reserveStock,
} from './engine.js';

const [minuteMs, hourMs] = [60_000, 3_600_000];

describe('extending a reservation', () => {
  let stock: TestStock;
  let engine: Awaited<ReturnType<TestStock['engine']>>;
  beforeAll(async () => {
    stock = await openStock();
    engine = await stock.engine();
  });
  afterEach(() => stock.expectStockInvariants());
  afterAll(() => stock.close());

  async function held(reserveForMs: number): Promise<string> {
    const key = await stockUp(engine, [5]);
    const { saleId } = await putInSale(engine, key, 3);
    const request = { ...requestOf(lineOf(key, 2, saleId)), reserveForMs };
    expect((await reserveStock(engine, request)).state).toBe('HELD');
    return request.orderId;
  }
  const extend = (orderId: string, reserveForMs: number) =>
    extendReservation(engine, { orderId, reserveForMs });
  const lastsMs = async (orderId: string) => {
    const [row] = await stock.query<{ ms: number }>(
      `select extract(epoch from expires_at - created_at)::float * 1000 as ms from reservation
       where order_id = $1`,
      [orderId],
    );
    return row?.ms;
  };
  const makeDue = (orderId: string) =>
    stock.query(`update reservation set expires_at = now() where order_id = $1`, [orderId]);

  it('counts from when it was made, and leaves one alone that lasts longer', async () => {
    const orderId = await held(minuteMs);
    const extended = await extend(orderId, hourMs);
    expect(await lastsMs(orderId)).toBe(hourMs);
    expect(await extend(orderId, 5 * minuteMs)).toEqual(extended);
    expect(await lastsMs(orderId)).toBe(hourMs);
    expect(extended).toMatchObject({ orderId, state: 'HELD', expiresAt: expect.any(Date) });
  });

  it('refuses one that is due, though nobody has expired it yet', async () => {
    const orderId = await held(minuteMs);
    await makeDue(orderId);
    expect(await extend(orderId, hourMs)).toMatchObject({ orderId, state: 'EXPIRED' });
    expect(await lastsMs(orderId)).toBeLessThan(minuteMs);
    expect(await expireReservations(engine, [orderId])).toEqual([orderId]);
  });

  it('changes nothing of one that has ended, and says how', async () => {
    const [paid, released, expired] = [
      await held(minuteMs),
      await held(minuteMs),
      await held(minuteMs),
    ];
    const paymentId = newId();
    await commitReservation(engine, { orderId: paid, paymentId });
    await releaseReservation(engine, { orderId: released, reason: 'BY_CUSTOMER' });
    await makeDue(expired);
    await expireReservations(engine, [expired]);
    expect(await extend(paid, hourMs)).toMatchObject({ state: 'COMMITTED', paymentId });
    expect(await extend(released, hourMs)).toMatchObject({ state: 'RELEASED' });
    expect(await extend(expired, hourMs)).toMatchObject({ state: 'EXPIRED' });
    expect(await extend(newId(), hourMs)).toMatchObject({ state: 'RELEASED' });
    for (const orderId of [paid, released]) expect(await lastsMs(orderId)).toBe(minuteMs);
  });

  it('sets its timer in Redis again, also after FLUSHALL', async () => {
    const orderId = await held(minuteMs);
    const left = () => engine.timerRedis.pttl(timerKey(orderId));
    await eventually(left, (ms) => ms > 0);
    await extend(orderId, hourMs);
    await eventually(left, (ms) => ms > minuteMs);
    await engine.timerRedis.flushall();
    await extend(orderId, hourMs);
    await eventually(left, (ms) => ms > minuteMs);
  });

  it('is not watched in the process that reserved it before it is due again', async () => {
    const soonMs = 60;
    const orderId = await held(soonMs);
    const another = await stock.engine();
    await stock.query(
      `update reservation set expires_at = now() + interval '1 minute' where order_id = $1`,
      [orderId],
    );
    await extendReservation(another, { orderId, reserveForMs: hourMs });
    await eventually(
      () => engine.timerRedis.pttl(timerKey(orderId)),
      (ms) => ms > minuteMs,
    );
    const asked: string[] = [];
    const pipeline = engine.timerRedis.pipeline.bind(engine.timerRedis);
    const spying = Object.create(engine.timerRedis, {
      pipeline: {
        value: (commands: [string, string][]) => {
          asked.push(...commands.map(([, key]) => key));
          return pipeline(commands);
        },
      },
    });
    // Its first look, when it would have been due; it finds an hour left, and looks no more.
    await eventually(
      async () => {
        await engine.signals.watch.nudge(spying);
        return asked.length;
      },
      (looks) => looks > 0,
    );
    for (let turn = 0; turn < 5; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 60));
      await engine.signals.watch.nudge(spying);
    }
    expect(asked.filter((key) => key === timerKey(orderId))).toHaveLength(1);
  });

  it('either extends or ends, of an extension and an end at the same time', async () => {
    for (let round = 0; round < 10; round++) {
      const orderId = await held(minuteMs);
      const [extended, released] = await Promise.all([
        extend(orderId, hourMs),
        releaseReservation(engine, { orderId, reason: 'BY_CUSTOMER' }),
      ]);
      expect(released.state).toBe('RELEASED');
      expect(['HELD', 'RELEASED']).toContain(extended.state);
      expect(await lastsMs(orderId)).toBe(extended.state === 'HELD' ? hourMs : minuteMs);
    }
  });

  it.each<CutPoint>([
    'before it reaches PostgreSQL',
    'after PostgreSQL has committed',
    'before PostgreSQL commits, which it does later',
  ])('is done when its connection is lost at COMMIT, %s', async (point) => {
    const proxy = await startPostgresProxy(stock.url);
    const behindProxy = await stock.engine({ databaseUrl: proxy.url });
    const orderId = await held(minuteMs);
    proxy.cutNextCommit(point);
    const extended = await extendReservation(behindProxy, { orderId, reserveForMs: hourMs });
    expect(extended.state).toBe('HELD');
    expect(proxy.cuts()).toBe(1);
    expect(await lastsMs(orderId)).toBe(hourMs);
    await proxy.stop();
  });
});
