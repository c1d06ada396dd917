import { openStockCount } from '../../../tests/harness/stock-counts.js';
import { logger, openStock, stockUp, type TestStock } from '../../../tests/harness/stock-engine.js';
import { keepPartitions } from '../../shared/database/partitions/keep-partitions.js';
import { addMonths, firstDayOf, monthOf } from '../../shared/database/partitions/month.js';
import { transact } from '../../shared/database/transact.js';
import { runOnce } from '../../shared/idempotency/run-once.js';
import { newId } from '../../shared/ids.js';
import { commitReservation, reserveStock, type StockEngine } from '../reservation/engine.js';
import { adjustStock } from '../stock/adjust-stock.js';
import { ledgerPartitions } from '../stock/ledger-checkpoint.js';
import { markUnavailable } from '../stock/mark-unavailable.js';
import { movementId } from '../stock/movement-id.js';
import { receiveStock } from '../stock/receive-stock.js';
import { stockAt } from '../stock/stock-at.js';
import { StockCountNotOpen } from './lock-open-count.js';
import { StockCount } from './stock-count.js';
import { type CountedLineInput, StaleCount, submitStockCount } from './submit-stock-count.js';

const actor = 'test';

describe('a stock count', () => {
  let stock: TestStock;
  let engine: StockEngine;
  beforeAll(async () => {
    stock = await openStock();
    engine = await stock.engine();
  });
  afterEach(() => stock.expectStockInvariants());
  afterAll(() => stock.close());

  const submitted = { status: 'SUBMITTED' };

  type Shop = Awaited<ReturnType<typeof stockUp>>;
  const warehouseOf = (shop: Shop) => shop.warehouses[0] as (typeof shop.warehouses)[0];
  const open = (shop: Shop, ...skus: string[]) =>
    openStockCount(stock, warehouseOf(shop).id, [shop.sku, ...skus]);
  const submit = (shop: Shop, countId: string, ...lines: CountedLineInput[]) =>
    submitStockCount(engine, { countId, warehouse: warehouseOf(shop), lines, actor });
  const levelOf = async ({ shopId, sku }: { shopId: string; sku: string }) => {
    const [level] = await stock.query(
      `select on_hand as "onHand", reserved, committed, unavailable, shortfall
       from stock_level where shop_id = $1 and sku = $2`,
      [shopId, sku],
    );
    return level;
  };
  const lineOf = async (countId: string, sku: string) => {
    const [line] = await stock.query(
      'select expected, counted from stock_count_line where count_id = $1 and sku = $2',
      [countId, sku],
    );
    return line;
  };
  const receive = (shop: Shop, quantity: number) =>
    receiveStock(engine, {
      warehouse: warehouseOf(shop),
      sku: shop.sku,
      quantity,
      reference: null,
      actor,
    });
  async function reserve(shop: Shop, quantity: number) {
    const orderId = newId();
    const lines = [{ shopId: shop.shopId, sku: shop.sku, quantity }];
    await reserveStock(engine, { orderId, lines, reserveForMs: 3_600_000 });
    return orderId;
  }
  const pause = () => new Promise((resolve) => setTimeout(resolve, 5));

  it('sets the units on hand, and shows what was expected', async () => {
    const shop = await stockUp(engine, [10]);
    const countId = await open(shop);
    expect(await submit(shop, countId, { sku: shop.sku, quantity: 7 })).toMatchObject(submitted);
    expect(await levelOf(shop)).toMatchObject({ onHand: 7, shortfall: 0 });
    expect(await lineOf(countId, shop.sku)).toEqual({ expected: 10, counted: 7 });
  });

  it('does not undo what moved since the units were counted', async () => {
    const shop = await stockUp(engine, [10]);
    const countId = await open(shop);
    await pause();
    await receive(shop, 5);
    expect(await submit(shop, countId, { sku: shop.sku, quantity: 9 })).toMatchObject(submitted);
    expect(await levelOf(shop)).toMatchObject({ onHand: 14 });
    expect(await lineOf(countId, shop.sku)).toEqual({ expected: 10, counted: 9 });
    const [adjustment] = await stock.query<{ isEarlier: boolean }>(
      `select occurred_at = date_trunc('milliseconds', c.opened_at)
         and m.created_at > m.occurred_at as "isEarlier"
       from stock_movement m join stock_count c on c.id::text = m.reference where c.id = $1`,
      [countId],
    );
    expect(adjustment).toEqual({ isEarlier: true });
  });

  it('takes the time of each line into account', async () => {
    const shop = await stockUp(engine, [10]);
    const countId = await open(shop);
    await pause();
    await receive(shop, 5);
    await pause();
    const countedAt = new Date();
    await pause();
    await receive(shop, 1);
    await submit(shop, countId, { sku: shop.sku, quantity: 15, countedAt });
    expect(await levelOf(shop)).toMatchObject({ onHand: 16 });
    expect(await lineOf(countId, shop.sku)).toEqual({ expected: 15, counted: 15 });
  });

  it('is in no snapshot of a time before it was submitted', async () => {
    const shop = await stockUp(engine, [10]);
    const countId = await open(shop);
    await pause();
    const countedAt = new Date();
    await pause();
    const between = new Date();
    await pause();
    await submit(shop, countId, { sku: shop.sku, quantity: 7, countedAt });
    const snapshot = (at: Date) =>
      stockAt(engine.orm.em.fork(), { ...shop, warehouseId: warehouseOf(shop).id, at });
    expect(await snapshot(between)).toMatchObject({ onHand: 10, available: 10 });
    expect(await snapshot(new Date())).toMatchObject({ onHand: 7, available: 7 });
  });

  it('below what is promised is accepted, and shows the shortfall', async () => {
    const shop = await stockUp(engine, [5]);
    const paid = await reserve(shop, 2);
    await commitReservation(engine, { orderId: paid, paymentId: newId() });
    await reserve(shop, 3);
    await submit(shop, await open(shop), { sku: shop.sku, quantity: 3 });
    expect(await levelOf(shop)).toEqual({
      onHand: 3,
      reserved: 3,
      committed: 2,
      unavailable: 0,
      shortfall: 2,
    });
  });

  it('below the unavailable units lowers these too', async () => {
    const shop = await stockUp(engine, [5]);
    const about = { warehouse: warehouseOf(shop), sku: shop.sku, reason: 'damaged', actor };
    await markUnavailable(engine, { ...about, delta: 4 });
    await submit(shop, await open(shop), { sku: shop.sku, quantity: 3 });
    expect(await levelOf(shop)).toMatchObject({ onHand: 3, unavailable: 3, shortfall: 0 });
  });

  it('creates the level of a variant that the warehouse never had', async () => {
    const shop = await stockUp(engine, [5]);
    const sku = `${shop.sku}-new`;
    await submit(shop, await open(shop, sku), { sku, quantity: 4 });
    expect(await levelOf({ shopId: shop.shopId, sku })).toMatchObject({ onHand: 4 });
  });

  it('that is older than the newest count of a level is refused as a whole', async () => {
    const shop = await stockUp(engine, [10]);
    const other = `${shop.sku}-other`;
    const countId = await open(shop, other);
    await pause();
    await adjustStock(engine, {
      warehouse: warehouseOf(shop),
      sku: shop.sku,
      setTo: 8,
      expectedOnHand: 10,
      reason: 'counted',
      actor,
    });
    const lines = [
      { sku: other, quantity: 1 },
      { sku: shop.sku, quantity: 10 },
    ];
    const refused = await submit(shop, countId, ...lines);
    expect(refused).toBeInstanceOf(StaleCount);
    expect(refused).toMatchObject({ lines: [{ sku: shop.sku }] });
    expect(await levelOf(shop)).toMatchObject({ onHand: 8 });
    expect(await levelOf({ shopId: shop.shopId, sku: other })).toBeUndefined();
    const countedAt = new Date();
    const again = lines.map((line) => ({ ...line, countedAt }));
    expect(await submit(shop, countId, ...again)).toMatchObject(submitted);
    expect(await levelOf(shop)).toMatchObject({ onHand: 10 });
  });

  it('from before the detached movements of a level is refused, until the units are counted again', async () => {
    const shop = await stockUp(engine, [10]);
    const countId = await open(shop);
    // Opened three months ago; three units left a month later, and that month is detached.
    const [openedAt, soldAt] = [3, 2].map((months) =>
      firstDayOf(addMonths(monthOf(new Date()), -months)),
    ) as [Date, Date];
    await stock.query('update stock_count set opened_at = $2 where id = $1', [countId, openedAt]);
    await stock.query('alter table stock_movement disable trigger append_only');
    await stock.query(
      `update stock_movement set id = $2, created_at = $3, occurred_at = $3 where shop_id = $1`,
      [shop.shopId, movementId(openedAt.getTime(), 1), openedAt],
    );
    await stock.query('alter table stock_movement enable trigger append_only');
    await stock.query(
      `with level as (
         update stock_level set on_hand = 7, last_seq = 2 where shop_id = $1 returning *)
       insert into stock_movement (shop_id, level_id, id, seq, type, on_hand_delta, reserved_delta,
         on_hand, reserved, committed, unavailable, actor, created_at, occurred_at)
       select shop_id, id, $2, 2, 'ADJUSTMENT', -3, 0, 7, 0, 0, 0, 'test', $3, $3 from level`,
      [shop.shopId, movementId(soldAt.getTime(), 2), soldAt],
    );
    await stock.query('update stock_item set available = 7 where shop_id = $1', [shop.shopId]);
    const keep = (months: number) =>
      keepPartitions({ databaseUrl: stock.url, logger }, [ledgerPartitions(months)]);
    await keep(36);
    for (const _ of [openedAt, soldAt]) await keep(1); // one month in each run
    const line = { sku: shop.sku, quantity: 10 };
    const problem = 'is before the movements that are kept of this variant. Count it again';
    await expect(submit(shop, countId, line)).rejects.toThrow(problem);
    const justBefore = new Date(soldAt.getTime() - 1);
    await expect(submit(shop, countId, { ...line, countedAt: justBefore })).rejects.toThrow(
      problem,
    );
    expect(await levelOf(shop)).toMatchObject({ onHand: 7 });
    const counted = { ...line, quantity: 6, countedAt: soldAt };
    expect(await submit(shop, countId, counted)).toMatchObject(submitted);
    expect(await levelOf(shop)).toMatchObject({ onHand: 6 });
  });

  it('that was opened with a key and deleted is named by its id', async () => {
    const shop = await stockUp(engine, [10]);
    const countId = await open(shop);
    const identity = { id: newId(), role: 'VENDOR' as const, sessionId: newId() };
    const em = engine.orm.em.fork();
    const context = { em, app: null, logger, caller: 'router' as const, identity };
    const key = { shopId: shop.shopId, id: countId };
    const request = {
      operation: 'cancel',
      input: { idempotencyKey: 'key' },
      results: [StockCount],
    };
    const cancel = () =>
      runOnce(context, request, (once) =>
        transact(em.fork(), (tx) => tx.findOneOrFail(StockCount, key), once),
      );
    await cancel();
    await stock.query('delete from stock_count_line where count_id = $1', [countId]);
    await stock.query('delete from stock_count where id = $1', [countId]);
    await expect(cancel()).rejects.toThrow(`There is no stock count ${countId}.`);
  });

  it('is submitted once, however often at the same time', async () => {
    const shop = await stockUp(engine, [10]);
    const countId = await open(shop);
    const line = { sku: shop.sku, quantity: 6 };
    const outcomes = await Promise.all([1, 2, 3].map(() => submit(shop, countId, line)));
    expect(outcomes).toMatchObject([submitted, submitted, submitted]);
    expect(outcomes.filter((outcome) => outcome instanceof StockCountNotOpen)).toHaveLength(2);
    expect(await levelOf(shop)).toMatchObject({ onHand: 6 });
  });

  it.each([
    ['a variant twice', ['a', 'a'], undefined, 'has a variant twice'],
    ['a variant that is not in it', ['b'], undefined, 'is not in this count'],
    ['a time to come', ['a'], new Date(Date.now() + 3_600_000), 'is in the future'],
    ['a time before it was opened', ['a'], new Date(0), 'is before the count was opened'],
  ])('with %s is bad input, and changes nothing', async (_, names, countedAt, problem) => {
    const shop = await stockUp(engine, [10]);
    const countId = await open(shop);
    const lines = names.map((name) => {
      const sku = name === 'a' ? shop.sku : `${shop.sku}-${name}`;
      return { sku, quantity: 1, ...(countedAt && { countedAt }) };
    });
    await expect((async () => submit(shop, countId, ...lines))()).rejects.toThrow(problem);
    expect(await levelOf(shop)).toMatchObject({ onHand: 10 });
  });

  it('loses no sale while orders are placed and paid', async () => {
    const shop = await stockUp(engine, [50]);
    const countId = await open(shop);
    await pause();
    const orders = Array.from({ length: 20 }, async () => {
      const orderId = await reserve(shop, 1);
      return commitReservation(engine, { orderId, paymentId: newId() });
    });
    await Promise.all([...orders, submit(shop, countId, { sku: shop.sku, quantity: 50 })]);
    expect(await levelOf(shop)).toMatchObject({ onHand: 50, committed: 20, reserved: 0 });
  });
});
