import { openStock, stockUp, type TestStock } from '../../../tests/harness/stock-engine.js';
import { retryWhileBusy } from '../../../tests/harness/wait.js';
import { newId } from '../../shared/ids.js';
import { setWarehouseActive } from '../activation/set-warehouse-active.js';
import {
  commitReservation,
  releaseReservation,
  reserveStock,
  type StockEngine,
} from '../reservation/engine.js';
import { adjustStock } from '../stock/adjust-stock.js';
import { receiveStock } from '../stock/receive-stock.js';
import type { Warehouse } from '../warehouse/warehouse.js';
import { cancelTransfer } from './cancel-transfer.js';
import { receiveTransfer } from './receive-transfer.js';
import { StockTransfer } from './stock-transfer.js';
import { dispatchTransfer, transferStock } from './transfer-stock.js';

const rounds = process.env.LONG ? 20 : 6;
const workersCount = 20;
const stepsOfWorker = 6;
const actor = 'test';

describe('transfers during other changes of the same stock', () => {
  let stock: TestStock;
  let engines: StockEngine[];
  beforeAll(async () => {
    stock = await openStock();
    engines = [await stock.engine(), await stock.engine()];
  });
  afterEach(() => stock.expectStockInvariants());
  afterAll(() => stock.close());

  /** Creates a shop with two skus in three warehouses. */
  async function openShop() {
    const [engine] = engines as [StockEngine];
    const one = await stockUp(engine, [20, 20, 0]);
    const other = `${one.sku}-B`;
    for (const warehouse of one.warehouses.slice(0, 2)) {
      await receiveStock(engine, { warehouse, sku: other, quantity: 20, reference: null, actor });
    }
    return { shopId: one.shopId, skus: [one.sku, other], warehouses: one.warehouses };
  }

  const tally = async (shopId: string) => {
    const [row] = await stock.query<Record<string, number>>(
      `select sum(on_hand)::int as "onHand", sum(reserved)::int as reserved, sum(committed)::int as committed,
         sum(incoming)::int as incoming from stock_level where shop_id = $1`,
      [shopId],
    );
    return row;
  };

  it(`lose nothing and cause no deadlock among twenty workers that reserve, pay, release and transfer (${rounds} rounds)`, async () => {
    for (let round = 0; round < rounds; round++) {
      const { shopId, skus, warehouses } = await openShop();
      let sold = 0;
      const pick = <T>(items: readonly T[]) => items[Math.floor(Math.random() * items.length)] as T;
      const lines = () =>
        skus.toSorted(() => Math.random() - 0.5).map((sku) => ({ sku, quantity: 1 }));

      async function buy(engine: StockEngine) {
        const orderId = newId();
        const request = {
          orderId,
          lines: lines().map((line) => ({ shopId, ...line })),
          reserveForMs: 3_600_000,
        };
        const { state } = await retryWhileBusy(() => reserveStock(engine, request));
        if (state !== 'HELD') return;
        if (Math.random() < 0.5) {
          const payment = { orderId, paymentId: newId() };
          await retryWhileBusy(() => commitReservation(engine, payment));
          sold += 2;
        } else {
          const release = { orderId, reason: 'BY_CUSTOMER' } as const;
          await retryWhileBusy(() => releaseReservation(engine, release));
        }
      }
      async function transfer(engine: StockEngine) {
        const [from, to] = warehouses.toSorted(() => Math.random() - 0.5) as [Warehouse, Warehouse];
        const move = { from, to, lines: lines(), actor };
        if (Math.random() < 0.4)
          return void (await retryWhileBusy(() => transferStock(engine, move)));
        const sent = await retryWhileBusy(() => dispatchTransfer(engine, move));
        if (!(sent instanceof StockTransfer)) return;
        const { id, shopId } = sent;
        const [sku] = skus as [string];
        const part = {
          shopId,
          transferId: id,
          lines: [{ sku, quantity: 1 }],
          writeOffReason: null,
          actor,
        };
        await retryWhileBusy(() => receiveTransfer(pick(engines), part));
        const rest = { ...part, lines: null };
        await Promise.all([
          retryWhileBusy(() => receiveTransfer(pick(engines), rest)),
          retryWhileBusy(() => cancelTransfer(pick(engines), { shopId, transferId: id, actor })),
        ]);
      }
      async function worker(n: number) {
        for (let step = 0; step < stepsOfWorker; step++) {
          const engine = engines[n % engines.length] as StockEngine;
          await (n % 2 === 0 ? buy(engine) : transfer(engine));
        }
      }
      await Promise.all(Array.from({ length: workersCount }, (_, n) => worker(n)));
      expect(await tally(shopId)).toEqual({
        onHand: 80,
        reserved: 0,
        committed: sold,
        incoming: 0,
      });
      await stock.expectStockInvariants();
    }
    const seen = 'select deadlocks::int from pg_stat_database where datname = current_database()';
    expect(await stock.query(seen)).toEqual([{ deadlocks: 0 }]);
  }, 300_000);

  it('move seven units when twenty transfers of one unit compete for seven', async () => {
    const [engine] = engines as [StockEngine];
    const { sku, warehouses } = await stockUp(engine, [7, 0]);
    const [from, to] = warehouses as [Warehouse, Warehouse];
    const moved = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        retryWhileBusy(() =>
          transferStock(engines[n % 2] as StockEngine, {
            from,
            to,
            lines: [{ sku, quantity: 1 }],
            actor,
          }),
        ),
      ),
    );
    expect(moved.filter((each) => each instanceof StockTransfer)).toHaveLength(7);
  });

  it('end once when received twice and cancelled at the same time', async () => {
    const [engine, other] = engines as [StockEngine, StockEngine];
    for (let round = 0; round < 10; round++) {
      const { shopId, sku, warehouses } = await stockUp(engine, [5, 0]);
      const [from, to] = warehouses as [Warehouse, Warehouse];
      const move = { from, to, lines: [{ sku, quantity: 5 }], actor };
      const { id: transferId } = (await dispatchTransfer(engine, move)) as StockTransfer;
      const receipt = { shopId, transferId, lines: null, writeOffReason: null, actor };
      const ended = await Promise.all([
        receiveTransfer(engine, receipt),
        receiveTransfer(other, receipt),
        cancelTransfer(engine, { shopId, transferId, actor }),
      ]);
      expect(ended.filter((each) => each instanceof StockTransfer)).toHaveLength(1);
      expect(await tally(shopId)).toEqual({ onHand: 5, reserved: 0, committed: 0, incoming: 0 });
    }
  });

  it('are not hindered by a warehouse that is created and filled while they wait for locks', async () => {
    const [engine, other] = engines as [StockEngine, StockEngine];
    const { shopId, sku, warehouses } = await stockUp(engine, [5]);
    const [first] = warehouses as [Warehouse];
    await stock.query('begin');
    await stock.query('select 1 from stock_item where shop_id = $1 for update', [shopId]);
    const lines = [{ shopId, sku, quantity: 1 }];
    const waiting = reserveStock(engine, { orderId: newId(), lines, reserveForMs: 3_600_000 });
    await new Promise((resolve) => setTimeout(resolve, 200));
    const added = newId();
    await stock.query(
      `with warehouse as (insert into warehouse (id, shop_id, name) values ($1, $2, 'New') returning id)
       insert into warehouse_event (shop_id, warehouse_id, id, type, actor)
       select $2, id, id, 'ACTIVATED', 'test' from warehouse`,
      [added, shopId],
    );
    await stock.query(
      'insert into stock_level (id, warehouse_id, shop_id, sku) values ($1, $2, $3, $4)',
      [newId(), added, shopId, sku],
    );
    await stock.query('commit');
    expect((await waiting).state).toBe('HELD');
    const adjustment = { warehouse: first, sku, delta: 1, reason: 'found', actor };
    expect(await adjustStock(other, adjustment)).toMatchObject({ onHand: 6 });
  });

  it('leave reserved units to their orders when a warehouse is deactivated in a flash sale', async () => {
    for (let round = 0; round < 5; round++) {
      const [engine, other] = engines as [StockEngine, StockEngine];
      const { shopId, sku, warehouses } = await stockUp(engine, [60, 60]);
      const [closing] = warehouses as [Warehouse];
      const held: string[] = [];
      let closed = false;
      let heldThere = 0;
      const buy = async (n: number) => {
        await new Promise((resolve) => setTimeout(resolve, n));
        const lateBuyer = closed;
        const orderId = newId();
        const lines = [{ shopId, sku, quantity: 1 }];
        const one = engines[n % 2] as StockEngine;
        const { state } = await retryWhileBusy(() =>
          reserveStock(one, { orderId, lines, reserveForMs: 3_600_000 }),
        );
        if (state === 'HELD') held.push(orderId);
        return lateBuyer ? orderId : null;
      };
      const close = async () => {
        await new Promise((resolve) => setTimeout(resolve, 30));
        const { units, reserved } = await setWarehouseActive(other, closing, false, 'test');
        closed = true;
        heldThere = reserved;
        expect(units + reserved).toBe(60);
      };
      const [late] = await Promise.all([
        Promise.all(Array.from({ length: 150 }, (_, n) => buy(n))),
        close(),
      ]);
      const linesThere = await stock.query<{ orderId: string }>(
        `select order_id as "orderId" from reservation_line
           join stock_level on id = level_id where warehouse_id = $1`,
        [closing.id],
      );
      expect(linesThere).toHaveLength(heldThere);
      const lateThere = linesThere.filter(({ orderId }) => late.includes(orderId));
      expect(lateThere).toEqual([]);
      expect(held.length).toBe(Math.min(150, heldThere + 60));
      const paid = await Promise.all(
        linesThere.map(({ orderId }) => commitReservation(engine, { orderId, paymentId: newId() })),
      );
      expect(paid.every(({ state }) => state === 'COMMITTED')).toBe(true);
      await stock.expectStockInvariants();
    }
  });
});
