import { openStock, stockUp, type TestStock } from '../../../tests/harness/stock-engine.js';
import { newId } from '../../shared/ids.js';
import { expireIsolating, expireReservations } from '../expiry/expire-reservations.js';
import { HeldRows } from './dispatcher/run-batch-isolating.js';
import { commitReservation, releaseReservation, reserveStock, type StockEngine } from './engine.js';

describe('how a reservation ends', () => {
  let stock: TestStock;
  let engine: StockEngine;
  beforeAll(async () => {
    stock = await openStock();
    engine = await stock.engine();
  });
  afterEach(() => stock.expectStockInvariants());
  afterAll(() => stock.close());

  /** Stocks ten units and reserves three of them for an order. */
  async function reserve(reserveForMs = 3_600_000) {
    const key = await stockUp(engine, [10]);
    const orderId = newId();
    const lines = [{ shopId: key.shopId, sku: key.sku, quantity: 3 }];
    await reserveStock(engine, { orderId, lines, reserveForMs });
    return { orderId, shopId: key.shopId };
  }
  const levelOf = async (shopId: string) => {
    const [level] = await stock.query(
      `select l.on_hand as "onHand", l.reserved, l.committed, i.available
       from stock_level l join stock_item i using (shop_id, sku) where l.shop_id = $1`,
      [shopId],
    );
    return level;
  };
  const eventsOf = (orderId: string) =>
    stock.query('select consumer, topic, payload from outbox where key = $1', [orderId]);

  it('a commit keeps the units in the warehouse until they are shipped', async () => {
    const { orderId, shopId } = await reserve();
    const paymentId = newId();
    expect(await commitReservation(engine, { orderId, paymentId })).toEqual({
      orderId,
      state: 'COMMITTED',
      paymentId,
    });
    expect(await levelOf(shopId)).toEqual({ onHand: 10, reserved: 0, committed: 3, available: 7 });
    expect(await eventsOf(orderId)).toEqual([]);
  });

  it('a second payment changes nothing, and the answer names the first', async () => {
    const { orderId, shopId } = await reserve();
    const [winner, loser] = [newId(), newId()];
    await commitReservation(engine, { orderId, paymentId: winner });
    for (const paymentId of [loser, winner]) {
      expect(await commitReservation(engine, { orderId, paymentId })).toEqual({
        orderId,
        state: 'COMMITTED',
        paymentId: winner,
      });
    }
    expect(await levelOf(shopId)).toEqual({ onHand: 10, reserved: 0, committed: 3, available: 7 });
  });

  it('is refused if the reservation names a shop without a line, and then nothing moves', async () => {
    const { orderId, shopId } = await reserve();
    const setShops = (shopIds: readonly string[]) =>
      stock.query('update reservation set shop_ids = $2 where order_id = $1', [orderId, shopIds]);
    await setShops([shopId, newId()]);
    const rule = 'a HELD reservation has a line of each of its shops';
    const commit = () => commitReservation(engine, { orderId, paymentId: newId() });
    await expect(commit()).rejects.toThrow(rule);
    await expect(releaseReservation(engine, { orderId, reason: 'ABANDONED' })).rejects.toThrow(
      rule,
    );
    expect(await levelOf(shopId)).toEqual({ onHand: 10, reserved: 3, committed: 0, available: 7 });
    await expect(setShops([])).rejects.toThrow('reservation_shops');
    await setShops([shopId]);
    expect(await commit()).toMatchObject({ state: 'COMMITTED' });
  });

  it('a payment of an unknown order is refused, and so is a reservation that arrives after it', async () => {
    const { sku, shopId } = await stockUp(engine, [5]);
    const orderId = newId();
    const released = { orderId, state: 'RELEASED', paymentId: null };
    expect(await commitReservation(engine, { orderId, paymentId: newId() })).toEqual(released);
    const lines = [{ shopId, sku, quantity: 1 }];
    const outcome = await reserveStock(engine, { orderId, lines, reserveForMs: 3_600_000 });
    expect(outcome.state).toBe('RELEASED');
  });

  it('one of twenty simultaneous payments wins', async () => {
    const { orderId, shopId } = await reserve();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => commitReservation(engine, { orderId, paymentId: newId() })),
    );
    expect(new Set(answers.map((answer) => answer.paymentId)).size).toBe(1);
    expect(await levelOf(shopId)).toEqual({ onHand: 10, reserved: 0, committed: 3, available: 7 });
  });

  it('a release makes the units available again, with one event that gives the reason', async () => {
    const { orderId, shopId } = await reserve();
    const release = { orderId, reason: 'BY_CUSTOMER' as const };
    const released = { orderId, state: 'RELEASED', paymentId: null };
    expect(await releaseReservation(engine, release)).toEqual(released);
    expect(await releaseReservation(engine, release)).toEqual(released);
    expect(await levelOf(shopId)).toEqual({ onHand: 10, reserved: 0, committed: 0, available: 10 });
    expect(await eventsOf(orderId)).toEqual([
      {
        consumer: 'order',
        topic: 'warehouse.reservation.ended',
        payload: { orderId, state: 'RELEASED', reason: 'BY_CUSTOMER' },
      },
    ]);
  });

  it('a release after a payment changes nothing', async () => {
    const { orderId, shopId } = await reserve();
    const paymentId = newId();
    await commitReservation(engine, { orderId, paymentId });
    expect(await releaseReservation(engine, { orderId, reason: 'BY_CUSTOMER' })).toEqual({
      orderId,
      state: 'COMMITTED',
      paymentId,
    });
    expect(await levelOf(shopId)).toEqual({ onHand: 10, reserved: 0, committed: 3, available: 7 });
  });

  it('a reservation that is due expires, and a later payment does not get it', async () => {
    const { orderId, shopId } = await reserve(1);
    expect(await expireReservations(engine, [orderId])).toEqual([orderId]);
    expect(await expireReservations(engine, [orderId])).toEqual([]);
    expect(await commitReservation(engine, { orderId, paymentId: newId() })).toEqual({
      orderId,
      state: 'EXPIRED',
      paymentId: null,
    });
    expect(await levelOf(shopId)).toEqual({ onHand: 10, reserved: 0, committed: 0, available: 10 });
    expect(await eventsOf(orderId)).toMatchObject([{ payload: { reason: 'PAYMENT_TIMEOUT' } }]);
  });

  it('a reservation that is not due by PostgreSQL’s clock does not expire', async () => {
    const { orderId, shopId } = await reserve();
    expect(await expireReservations(engine, [orderId])).toEqual([]);
    expect(await levelOf(shopId)).toMatchObject({ reserved: 3 });
  });

  it('a reservation that another transaction is ending is skipped, and delays no other', async () => {
    const [busy, free] = [await reserve(1), await reserve(1)];
    await stock.query('begin');
    await stock.query('select 1 from reservation where order_id = $1 for update', [busy.orderId]);
    const both = [busy.orderId, free.orderId];
    expect(await expireReservations(engine, both)).toEqual([free.orderId]);
    await stock.query('commit');
    expect(await expireReservations(engine, both)).toEqual([busy.orderId]);
  });

  it('a reservation that cannot be expired delays no other', async () => {
    const [broken, ...sound] = [await reserve(1), await reserve(1), await reserve(1)];
    const setReserved = 'update stock_level set reserved = $2 where shop_id = $1';
    await stock.query(setReserved, [broken.shopId, 0]);
    const failed = new Set<string>();
    const all = [broken, ...sound].map(({ orderId }) => orderId);
    expect(await expireIsolating(engine, all, failed, new HeldRows())).toBe(2);
    expect([...failed]).toEqual([broken.orderId]);
    await stock.query(setReserved, [broken.shopId, 3]);
    expect(await expireIsolating(engine, all, failed, new HeldRows())).toBe(1);
  });

  it('releases of held and of unknown orders succeed among reservations of the same stock', async () => {
    const key = await stockUp(engine, [500]);
    const lines = [{ shopId: key.shopId, sku: key.sku, quantity: 1 }];
    const orders = (count: number) => Array.from({ length: count }, () => newId());
    const reserveOne = (orderId: string) =>
      reserveStock(engine, { orderId, lines, reserveForMs: 3_600_000 });
    const release = (orderId: string) =>
      releaseReservation(engine, { orderId, reason: 'ABANDONED' as const });
    for (let round = 0; round < 5; round++) {
      const [held, raced] = [orders(20), orders(20)];
      await Promise.all(held.map(reserveOne));
      await Promise.all([...raced.map(reserveOne), ...held.map(release), ...raced.map(release)]);
    }
    expect(await levelOf(key.shopId)).toEqual({
      onHand: 500,
      reserved: 0,
      committed: 0,
      available: 500,
    });
  });

  it('the database refuses a level with more reserved than on hand, or less than 0', async () => {
    const { shopId } = await reserve();
    for (const [reserved, constraint] of [
      [11, 'stock_level_shortfall'],
      [-1, 'stock_level_not_negative'],
    ] as const) {
      const change = stock.query('update stock_level set reserved = $2 where shop_id = $1', [
        shopId,
        reserved,
      ]);
      await expect(change).rejects.toThrow(constraint);
    }
    const change = stock.query('update stock_item set available = -1 where shop_id = $1', [shopId]);
    await expect(change).rejects.toThrow('stock_item_available');
  });

  it('a payment that is late still gets a reservation that has not ended yet', async () => {
    const { orderId } = await reserve(1);
    const answer = await commitReservation(engine, { orderId, paymentId: newId() });
    expect(answer.state).toBe('COMMITTED');
  });

  it('one of payment, release and expiry wins when three processes run them at the same time', async () => {
    const [second, third] = [await stock.engine(), await stock.engine()];
    for (let round = 0; round < 20; round++) {
      const { orderId } = await reserve(1);
      await Promise.all([
        commitReservation(engine, { orderId, paymentId: newId() }),
        releaseReservation(second, { orderId, reason: 'BY_CUSTOMER' }),
        expireReservations(third, [orderId]),
      ]);
      const ends = await stock.query(
        `select type from stock_movement where reference = $1 and type in ('COMMIT', 'RELEASE')`,
        [orderId],
      );
      expect(ends).toHaveLength(1);
      await stock.expectStockInvariants();
    }
  });

  it('the ledger refuses to change or delete movements', async () => {
    await reserve();
    const change = stock.query('update stock_movement set on_hand_delta = 0');
    await expect(change).rejects.toThrow('append-only');
    await expect(stock.query('delete from stock_movement')).rejects.toThrow('append-only');
  });
});
