import { v7 as uuidv7 } from 'uuid';
import { openStock, stockUp, type TestStock } from '../../../tests/harness/stock-engine.js';
import { expireIsolating, expireReservations } from '../expiry/expire-reservations.js';
import { commitReservation, releaseReservation, reserveStock, type StockEngine } from './engine.js';

describe('how a hold ends', () => {
  let stock: TestStock;
  let engine: StockEngine;
  beforeAll(async () => {
    stock = await openStock();
    engine = await stock.engine();
  });
  afterEach(() => stock.expectStockInvariants());
  afterAll(() => stock.close());

  /** Ten units on the shelf, three of them held for an order. */
  async function hold(holdForMs = 3_600_000) {
    const key = await stockUp(engine, [10]);
    const orderId = uuidv7();
    const lines = [{ shopId: key.shopId, sku: key.sku, quantity: 3 }];
    await reserveStock(engine, { orderId, lines, holdForMs });
    return { orderId, shopId: key.shopId };
  }
  const levelOf = async (shopId: string) => {
    const [level] = await stock.query(
      `select l.on_hand as "onHand", l.reserved, i.available
       from stock_level l join stock_item i using (shop_id, sku) where l.shop_id = $1`,
      [shopId],
    );
    return level;
  };
  const eventsOf = (orderId: string) =>
    stock.query('select consumer, topic, payload from outbox where key = $1', [orderId]);

  it('a commit sells the units: they leave the warehouse', async () => {
    const { orderId, shopId } = await hold();
    const paymentId = uuidv7();
    expect(await commitReservation(engine, { orderId, paymentId })).toEqual({
      orderId,
      state: 'COMMITTED',
      paymentId,
    });
    expect(await levelOf(shopId)).toEqual({ onHand: 7, reserved: 0, available: 7 });
    expect(await eventsOf(orderId)).toEqual([]);
  });

  it('a second payment is told who won, and changes nothing', async () => {
    const { orderId, shopId } = await hold();
    const [winner, loser] = [uuidv7(), uuidv7()];
    await commitReservation(engine, { orderId, paymentId: winner });
    for (const paymentId of [loser, winner]) {
      expect(await commitReservation(engine, { orderId, paymentId })).toEqual({
        orderId,
        state: 'COMMITTED',
        paymentId: winner,
      });
    }
    expect(await levelOf(shopId)).toEqual({ onHand: 7, reserved: 0, available: 7 });
  });

  it('a payment of an order that is not known is refused, and so is a reservation that comes after', async () => {
    const { sku, shopId } = await stockUp(engine, [5]);
    const orderId = uuidv7();
    const released = { orderId, state: 'RELEASED', paymentId: null };
    expect(await commitReservation(engine, { orderId, paymentId: uuidv7() })).toEqual(released);
    const lines = [{ shopId, sku, quantity: 1 }];
    const outcome = await reserveStock(engine, { orderId, lines, holdForMs: 3_600_000 });
    expect(outcome.state).toBe('RELEASED');
  });

  it('of twenty payments at once one wins', async () => {
    const { orderId, shopId } = await hold();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => commitReservation(engine, { orderId, paymentId: uuidv7() })),
    );
    expect(new Set(answers.map((answer) => answer.paymentId)).size).toBe(1);
    expect(await levelOf(shopId)).toEqual({ onHand: 7, reserved: 0, available: 7 });
  });

  it('a release puts the units back and tells the order subgraph why, once', async () => {
    const { orderId, shopId } = await hold();
    const release = { orderId, reason: 'BY_CUSTOMER' as const };
    const released = { orderId, state: 'RELEASED', paymentId: null };
    expect(await releaseReservation(engine, release)).toEqual(released);
    expect(await releaseReservation(engine, release)).toEqual(released);
    expect(await levelOf(shopId)).toEqual({ onHand: 10, reserved: 0, available: 10 });
    expect(await eventsOf(orderId)).toEqual([
      {
        consumer: 'order',
        topic: 'reservationEnded',
        payload: { orderId, state: 'RELEASED', reason: 'BY_CUSTOMER' },
      },
    ]);
  });

  it('a release that comes after a payment leaves it as it is', async () => {
    const { orderId, shopId } = await hold();
    const paymentId = uuidv7();
    await commitReservation(engine, { orderId, paymentId });
    expect(await releaseReservation(engine, { orderId, reason: 'BY_CUSTOMER' })).toEqual({
      orderId,
      state: 'COMMITTED',
      paymentId,
    });
    expect(await levelOf(shopId)).toEqual({ onHand: 7, reserved: 0, available: 7 });
  });

  it('a hold whose time is up expires, and a payment that comes then does not get it', async () => {
    const { orderId, shopId } = await hold(1);
    expect(await expireReservations(engine, [orderId])).toEqual([orderId]);
    expect(await expireReservations(engine, [orderId])).toEqual([]);
    expect(await commitReservation(engine, { orderId, paymentId: uuidv7() })).toEqual({
      orderId,
      state: 'EXPIRED',
      paymentId: null,
    });
    expect(await levelOf(shopId)).toEqual({ onHand: 10, reserved: 0, available: 10 });
    expect(await eventsOf(orderId)).toMatchObject([{ payload: { reason: 'PAYMENT_TIMEOUT' } }]);
  });

  it('a hold whose time is not up by PostgreSQL’s clock does not expire', async () => {
    const { orderId, shopId } = await hold();
    expect(await expireReservations(engine, [orderId])).toEqual([]);
    expect(await levelOf(shopId)).toMatchObject({ reserved: 3 });
  });

  it('a hold that somebody else is ending is passed over, and keeps up no other', async () => {
    const [busy, free] = [await hold(1), await hold(1)];
    await stock.query('begin');
    await stock.query('select 1 from reservation where order_id = $1 for update', [busy.orderId]);
    const both = [busy.orderId, free.orderId];
    expect(await expireReservations(engine, both)).toEqual([free.orderId]);
    await stock.query('commit');
    expect(await expireReservations(engine, both)).toEqual([busy.orderId]);
  });

  it('a hold that cannot be released keeps up no other', async () => {
    const [broken, ...sound] = [await hold(1), await hold(1), await hold(1)];
    const setReserved = 'update stock_level set reserved = $2 where shop_id = $1';
    await stock.query(setReserved, [broken.shopId, 0]);
    const failed = new Set<string>();
    const all = [broken, ...sound].map(({ orderId }) => orderId);
    expect(await expireIsolating(engine, all, failed)).toBe(2);
    expect([...failed]).toEqual([broken.orderId]);
    await stock.query(setReserved, [broken.shopId, 3]);
    expect(await expireIsolating(engine, all, failed)).toBe(1);
  });

  it('releases of held and of unknown orders, among reservations of the same stock, all end', async () => {
    const key = await stockUp(engine, [500]);
    const lines = [{ shopId: key.shopId, sku: key.sku, quantity: 1 }];
    const orders = (count: number) => Array.from({ length: count }, () => uuidv7());
    const reserve = (orderId: string) =>
      reserveStock(engine, { orderId, lines, holdForMs: 3_600_000 });
    const release = (orderId: string) =>
      releaseReservation(engine, { orderId, reason: 'ABANDONED' as const });
    for (let round = 0; round < 5; round++) {
      const [held, raced] = [orders(20), orders(20)];
      await Promise.all(held.map(reserve));
      await Promise.all([...raced.map(reserve), ...held.map(release), ...raced.map(release)]);
    }
    expect(await levelOf(key.shopId)).toEqual({ onHand: 500, reserved: 0, available: 500 });
  });

  it('the database itself refuses a level that promises more than is there, or less than nothing', async () => {
    const { shopId } = await hold();
    for (const reserved of [11, -1]) {
      const change = stock.query('update stock_level set reserved = $2 where shop_id = $1', [
        shopId,
        reserved,
      ]);
      await expect(change).rejects.toThrow('stock_level_reserved');
    }
    const change = stock.query('update stock_item set available = -1 where shop_id = $1', [shopId]);
    await expect(change).rejects.toThrow('stock_item_available');
  });

  it('a payment a moment late still gets a hold that nobody has ended yet', async () => {
    const { orderId } = await hold(1);
    const answer = await commitReservation(engine, { orderId, paymentId: uuidv7() });
    expect(answer.state).toBe('COMMITTED');
  });

  it('payment, release and expiry at the same instant, in three processes: one of them wins', async () => {
    const [second, third] = [await stock.engine(), await stock.engine()];
    for (let round = 0; round < 20; round++) {
      const { orderId } = await hold(1);
      await Promise.all([
        commitReservation(engine, { orderId, paymentId: uuidv7() }),
        releaseReservation(second, { orderId, reason: 'BY_CUSTOMER' }),
        expireReservations(third, [orderId]),
      ]);
      const ends = await stock.query(
        `select type from stock_movement where reference = $1 and type in ('SALE', 'RELEASE')`,
        [orderId],
      );
      expect(ends).toHaveLength(1);
      await stock.expectStockInvariants();
    }
  });

  it('the ledger takes no change of what is written', async () => {
    await hold();
    const change = stock.query('update stock_movement set on_hand_delta = 0');
    await expect(change).rejects.toThrow('append-only');
    await expect(stock.query('delete from stock_movement')).rejects.toThrow('append-only');
  });
});
