import { jest } from '@jest/globals';
import type { Redis } from 'ioredis';
import { openStock, stockUp, type TestStock } from '../../../tests/harness/stock-engine.js';
import { eventually, retryWhileBusy } from '../../../tests/harness/wait.js';
import { newId } from '../../shared/ids.js';
import { reserveStock } from '../reservation/engine.js';
import { startExpiry } from './expiry.js';

const reserveForMs = 300;

describe('the expiry of reservations', () => {
  let stock: TestStock;
  const stops: Array<() => Promise<void>> = [];
  const subscribers: Redis[] = [];
  beforeEach(async () => {
    stock = await openStock();
  });
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
    await stock.expectStockInvariants();
    await stock.close();
  });

  /** Starts what a warehouse process has: its engine and its expiry. */
  async function startOne(sweepEveryMs: number) {
    const engine = await stock.engine();
    const events = await stock.redisAt(1);
    subscribers.push(events);
    const expiry = startExpiry({ store: engine, timers: engine.timerRedis, events, sweepEveryMs });
    stops.push(() => expiry.stop());
    await eventually(
      async () => (await engine.timerRedis.config('GET', 'notify-keyspace-events')) as string[],
      ([, value]) => Boolean(value?.includes('x') && value.includes('E')),
    );
    return engine;
  }
  type Engine = Awaited<ReturnType<typeof startOne>>;

  async function reserveOne(engine: Engine) {
    const key = await stockUp(engine, [5]);
    const orderId = newId();
    const lines = [{ shopId: key.shopId, sku: key.sku, quantity: 2 }];
    await reserveStock(engine, { orderId, lines, reserveForMs });
    return orderId;
  }
  const stateOf = async (orderId: string) => {
    const rows = await stock.query<{ state: string; late: number }>(
      `select state, extract(epoch from updated_at - expires_at)::float * 1000 as late
       from reservation where order_id = $1`,
      [orderId],
    );
    return rows[0];
  };
  const untilExpired = (orderId: string) =>
    eventually(
      () => stateOf(orderId),
      (row) => row?.state === 'EXPIRED',
    );

  it('is triggered by the event of the expired key, without the sweeper', async () => {
    const engine = await startOne(1_000_000);
    await untilExpired(await reserveOne(engine));
  });

  it('expires all reservations that are due shortly after each other', async () => {
    const engine = await startOne(1_000_000);
    const key = await stockUp(engine, [1500]);
    const lines = [{ shopId: key.shopId, sku: key.sku, quantity: 1 }];
    const orderIds = Array.from({ length: 1500 }, () => newId());
    const reserved = orderIds.map((orderId) =>
      retryWhileBusy(() => reserveStock(engine, { orderId, lines, reserveForMs: 3_600_000 })),
    );
    await Promise.all(reserved);
    // Due only when all are held: those locked by a reserve request are left to the sweeper.
    const armed = await stock.query<{ orderId: string; expiresAt: Date }>(
      `update reservation set expires_at = clock_timestamp() + (500 + n) * interval '1 ms'
       from unnest($1::uuid[]) with ordinality as held (id, n) where order_id = id
       returning order_id as "orderId", expires_at as "expiresAt"`,
      [orderIds],
    );
    engine.signals.send({ armed });
    await eventually(
      () => stock.query(`select 1 from reservation where state = 'HELD'`),
      (held) => held.length === 0,
    );
  });

  it('makes the units available once when two processes receive the event', async () => {
    const engine = await startOne(1_000_000);
    await startOne(1_000_000);
    const received = subscribers.slice(-2).map((events) => {
      const orderIds = new Set<string>();
      events.on('message', (_, key) => orderIds.add(key.replace('reservation:', '')));
      return orderIds;
    });
    const orderIds = await Promise.all(Array.from({ length: 10 }, () => reserveOne(engine)));
    for (const orderId of orderIds) {
      await untilExpired(orderId);
      const released = await stock.query(
        `select 1 from stock_movement where reference = $1 and type = 'RELEASE'`,
        [orderId],
      );
      expect(released).toHaveLength(1);
      for (const orderIds of received) expect([...orderIds]).toContain(orderId);
    }
  });

  it('is triggered by the nudge when Redis does not expire the key by itself', async () => {
    const engine = await startOne(1_000_000);
    await engine.timerRedis.call('DEBUG', 'SET-ACTIVE-EXPIRE', '0');
    await untilExpired(await reserveOne(engine));
  });

  it('is done by the sweeper when the subscriber is disconnected', async () => {
    const engine = await startOne(100);
    const orderId = await reserveOne(engine);
    for (const subscriber of subscribers) subscriber.disconnect();
    await untilExpired(orderId);
  });

  it('is done by the sweeper when Redis has lost the key', async () => {
    const engine = await startOne(100);
    const orderId = await reserveOne(engine);
    await engine.timerRedis.flushall();
    await untilExpired(orderId);
  });

  describe('by the sweeper alone, with many overdue reservations', () => {
    async function sweepAmong(count: number, sweepEveryMs: number) {
      const engine = await stock.engine();
      const { shopId, sku } = await stockUp(engine, [count]);
      const lines = [{ shopId, sku, quantity: 1 }];
      const reserve = () =>
        reserveStock(engine, { orderId: newId(), lines, reserveForMs: 3_600_000 });
      for (let left = count; left > 0; left -= 500) {
        await Promise.all(Array.from({ length: Math.min(left, 500) }, reserve));
      }
      await stock.query(
        `update reservation set expires_at = now() - interval '3 s' where state = 'HELD'`,
      );
      const events = await stock.redisAt(1);
      await stock.redis.kill();
      const start = () => {
        const timers = engine.timerRedis;
        const expiry = startExpiry({ store: engine, timers, events, sweepEveryMs });
        stops.push(() => expiry.stop());
      };
      return { engine, start };
    }
    const untilNoneIsHeld = (timeoutMs: number) =>
      eventually(
        () => stock.query(`select 1 from reservation where state = 'HELD'`),
        (rows) => rows.length === 0,
        timeoutMs,
      );

    it('takes batch after batch without a pause', async () => {
      const { start } = await sweepAmong(5000, 6000);
      start();
      await untilNoneIsHeld(28_000); // five batches: with a pause before each it would take thirty seconds
    });

    it('waits for the next sweep when another process is expiring all that it finds', async () => {
      const { engine, start } = await sweepAmong(1000, 100);
      await stock.query('begin');
      await stock.query('select from reservation for update');
      const begin = jest.spyOn(engine.orm.em.getConnection(), 'begin');
      start();
      await new Promise((resolve) => setTimeout(resolve, 1000));
      expect(begin.mock.calls.length).toBeGreaterThan(0);
      expect(begin.mock.calls.length).toBeLessThan(11);
      await stock.query('rollback');
      await untilNoneIsHeld(30_000);
    });
  });

  it('times a reservation whose event was early by PostgreSQL’s clock, not by Redis’s again', async () => {
    const engine = await startOne(1_000_000);
    const { shopId, sku } = await stockUp(engine, [5]);
    const orderId = newId();
    const lines = [{ shopId, sku, quantity: 1 }];
    await reserveStock(engine, { orderId, lines, reserveForMs: 60_000 });
    const send = jest.spyOn(engine.signals, 'send');
    await engine.timerRedis.pexpire(`reservation:${orderId}`, 1);
    // A process that starts also sets the keys of reservations, by `expiresAt` alone.
    const early = await eventually(
      async () =>
        send.mock.calls
          .flatMap(([{ armed = [] }]) => armed)
          .find(({ leftMs }) => leftMs !== undefined),
      Boolean,
    );
    expect(early?.leftMs).toBeGreaterThan(50_000);
    // As if Redis's clock were an hour ahead.
    const expiresAt = new Date(Date.now() - 3_600_000);
    engine.signals.send({ armed: [{ orderId, expiresAt, leftMs: 30_000 }] });
    const left = await engine.timerRedis.pttl(`reservation:${orderId}`);
    expect(left).toBeGreaterThan(20_000);
    expect(left).toBeLessThan(31_000);
  });

  it('is done by the sweeper while Redis is dead', async () => {
    const engine = await startOne(100);
    const orderId = await reserveOne(engine);
    await stock.redis.kill();
    await untilExpired(orderId);
  });

  it('gets its timers set by a process that starts', async () => {
    const engine = await stock.engine();
    const orderId = await reserveOne(engine);
    await engine.timerRedis.flushall();
    await startOne(1_000_000);
    await untilExpired(orderId);
  });

  it('sets the key again after an event that was early by PostgreSQL’s clock', async () => {
    const engine = await startOne(1_000_000);
    const orderId = await reserveOne(engine);
    await engine.timerRedis.pexpire(`reservation:${orderId}`, 1);
    await untilExpired(orderId);
  });
});
