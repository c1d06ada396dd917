import pg from 'pg';
import { logger, openStock, stockUp, type TestStock } from '../../../tests/harness/stock-engine.js';
import { eventually } from '../../../tests/harness/wait.js';
import type { StockKey } from '../../contracts/stock-key.js';
import { isTooSlow } from '../../shared/database/errors.js';
import { newId } from '../../shared/ids.js';
import { createInboxResolver, type OutboxEvent } from '../../shared/messaging/inbox.js';
import { expireReservations } from '../expiry/expire-reservations.js';
import { startExpiry } from '../expiry/expiry.js';
import { onUnitsCancelled } from '../fulfilment/on-units-cancelled.js';
import { receiveStock } from '../stock/receive-stock.js';
import type { StockContext } from '../stock/stock-store.js';
import {
  commitReservation,
  releaseReservation,
  reserveStock,
  rowWaitMs,
  type StockEngine,
} from './engine.js';

const Inbox = createInboxResolver<StockContext>('test', {
  'order.units.cancelled': onUnitsCancelled,
});
const refused = { extensions: { code: 'TRY_AGAIN' } };

describe('a shop whose stock a long transaction has locked', () => {
  let stock: TestStock;
  let engine: Awaited<ReturnType<TestStock['engine']>>;
  let long: pg.Client;
  let shop: Awaited<ReturnType<typeof stockUp>>;
  let locked: StockKey;
  let free: StockKey;
  beforeAll(async () => {
    stock = await openStock();
    engine = await stock.engine();
    long = new pg.Client({ connectionString: stock.url });
    await long.connect();
  });
  beforeEach(async () => {
    [shop, free] = [await stockUp(engine, [50]), await stockUp(engine, [50])];
    locked = shop;
  });
  afterEach(async () => {
    await long.query('rollback');
    await stock.expectStockInvariants();
  });
  afterAll(async () => {
    await long.end();
    await stock.close();
  });

  /** Locks rows as an import or a deactivation does. */
  const lock = async (rows: 'stock_item' | 'warehouse' = 'stock_item') => {
    await long.query('begin');
    await long.query(`select 1 from ${rows} where shop_id = $1 for update`, [locked.shopId]);
  };
  const reserve = (
    { shopId, sku }: StockKey,
    on: StockEngine = engine,
    reserveForMs = 3_600_000,
  ) => {
    const lines = [{ shopId, sku, quantity: 1 }];
    return reserveStock(on, { orderId: newId(), lines, reserveForMs });
  };
  const states = async (orderIds: readonly string[]) => {
    const rows = await stock.query<{ state: string }>(
      'select distinct state from reservation where order_id = any($1)',
      [orderIds],
    );
    return rows.map(({ state }) => state);
  };

  it('has its requests refused meanwhile; others in the same batch are served', async () => {
    await lock();
    const answers = await Promise.allSettled(
      [free, locked, free, locked, locked, free].map((key) => reserve(key)),
    );
    const [first, second] = [answers[0], answers[1]];
    expect(first).toMatchObject({ value: { state: 'HELD' } });
    expect(second).toMatchObject({ reason: refused });
    expect(answers.map(({ status }) => status)).toEqual(
      [first, second, first, second, second, first].map((each) => each?.status),
    );
    await long.query('rollback');
    expect((await reserve(locked)).state).toBe('HELD');
  });

  it('delays no requests for variants that shared a batch with its own', async () => {
    await lock();
    const answered: string[] = [];
    const note = (name: string) => () => void answered.push(name);
    const pair = {
      orderId: newId(),
      lines: [locked, free].map(({ shopId, sku }) => ({ shopId, sku, quantity: 1 })),
      reserveForMs: 3_600_000,
    };
    const paired = reserveStock(engine, pair).catch(note('the pair'));
    await new Promise((resolve) => setTimeout(resolve, 1.2 * rowWaitMs));
    const alone = Array.from({ length: 3 }, () => reserve(free).then(note('alone')));
    await Promise.all([paired, ...alone]);
    expect(answered).toEqual(['alone', 'alone', 'alone', 'the pair']);
    // Known to be held: not waited for.
    const again = [reserve(locked).catch(note('locked')), reserve(free).then(note('free'))];
    await Promise.all(again);
    expect(answered.slice(4)).toEqual(['free', 'locked']);
  });

  it('is served once its rows are free again', async () => {
    await lock();
    const waiting = [reserve(locked), reserve(locked)];
    await new Promise((resolve) => setTimeout(resolve, 1.5 * rowWaitMs));
    await long.query('rollback');
    expect(await Promise.all(waiting)).toMatchObject([{ state: 'HELD' }, { state: 'HELD' }]);
  });

  it('is served while only its warehouses are locked', async () => {
    await lock('warehouse');
    expect((await reserve(locked)).state).toBe('HELD');
  });

  it('delays no payment and no release of other shops', async () => {
    const [ofLocked, ofFree, another] = [
      await reserve(locked),
      await reserve(free),
      await reserve(free),
    ];
    await lock();
    const release = (orderId: string) =>
      releaseReservation(engine, { orderId, reason: 'BY_CUSTOMER' });
    const answers = await Promise.allSettled([
      release(ofLocked.orderId),
      commitReservation(engine, { orderId: ofFree.orderId, paymentId: newId() }),
      release(another.orderId),
    ]);
    expect(answers).toMatchObject([
      { reason: refused },
      { value: { state: 'COMMITTED' } },
      { value: { state: 'RELEASED' } },
    ]);
    await long.query('rollback');
    expect((await release(ofLocked.orderId)).state).toBe('RELEASED');
  });

  it.each([
    ['keyspace events', 1_000_000],
    ['the sweeper', 200],
  ])('delays no expiry of other shops by %s', async (_, sweepEveryMs) => {
    const events = await stock.redisAt(1);
    const timers = engine.timerRedis;
    const keys = [locked, free, locked, free, locked, free];
    const reserved = await Promise.all(keys.map((key) => reserve(key, engine, 500)));
    const ofShop = (n: 0 | 1) =>
      reserved.filter((_outcome, at) => at % 2 === n).map(({ orderId }) => orderId);
    if (sweepEveryMs < 1000) await timers.flushall();
    await lock();
    const expiry = startExpiry({ store: engine, timers, events, sweepEveryMs });
    await eventually(
      () => states(ofShop(1)),
      (all) => all.join() === 'EXPIRED',
    );
    expect(await states(ofShop(0))).toEqual(['HELD']);
    await long.query('rollback');
    if (sweepEveryMs < 1000) {
      await eventually(
        () => states(ofShop(0)),
        (all) => all.join() === 'EXPIRED',
      );
    } else {
      await expireReservations(engine, ofShop(0));
    }
    await expiry.stop();
    events.disconnect();
  });

  it('has its own changes of stock wait for about a second', async () => {
    const receive = () => {
      const { sku, warehouses } = shop;
      const [warehouse] = warehouses;
      if (!warehouse) throw new Error('there is a warehouse');
      return receiveStock(engine, { warehouse, sku, quantity: 5, reference: null, actor: 'test' });
    };
    await lock();
    const waiting = receive();
    await new Promise((resolve) => setTimeout(resolve, 2 * rowWaitMs));
    await long.query('rollback');
    expect((await waiting).onHand).toBe(55);
    await lock();
    expect(await receive().catch(isTooSlow)).toBe(true);
  });

  it('delays no event of another shop', async () => {
    const orders = [await reserve(locked), await reserve(free)];
    for (const { orderId } of orders) {
      await commitReservation(engine, { orderId, paymentId: newId() });
    }
    const cancelled = orders.map(({ orderId }, n): OutboxEvent => {
      const { shopId, sku } = n === 0 ? locked : free;
      const ids = { cancellationId: newId(), shopOrderId: newId(), orderId, shopId };
      const payload = JSON.stringify({ ...ids, reason: 'OTHER', lines: [{ sku, quantity: 1 }] });
      const [id, key] = [ids.cancellationId, ids.shopOrderId];
      return { id, topic: 'order.units.cancelled', key, version: 1, payload };
    });
    await lock();
    const context = { em: engine.orm.em.fork(), app: engine, logger, caller: 'order' };
    const deliver = async () =>
      (await new Inbox().deliver(cancelled, context as unknown as StockContext)).accepted;
    expect(await deliver()).toEqual([cancelled[1]?.id]);
    await long.query('rollback');
    expect(await deliver()).toHaveLength(2);
  });
});
