import pg from 'pg';
import { logger, openStock, stockUp, type TestStock } from '../../../tests/harness/stock-engine.js';
import { someoneWaits } from '../../../tests/harness/wait.js';
import { newId } from '../../shared/ids.js';
import { reserveStock, type StockEngine } from '../reservation/engine.js';
import { receiveStock } from '../stock/receive-stock.js';
import type { Warehouse } from '../warehouse/warehouse.js';
import { importStock } from './import-stock.js';

/** A product subgraph that knows every sku. */
const product = {
  call: async (_call: unknown, { of }: { of?: unknown[] }) => of,
  close: async () => {},
};

describe('importing stock during other changes', () => {
  let stock: TestStock;
  let engine: StockEngine;
  let other: pg.Client;
  // A separate connection: within a transaction pg_stat_activity does not change.
  let watcher: pg.Client;
  beforeAll(async () => {
    stock = await openStock();
    engine = await stock.engine();
    other = new pg.Client({ connectionString: stock.url });
    await other.connect();
    watcher = new pg.Client({ connectionString: stock.url });
    await watcher.connect();
  });
  afterEach(() => stock.expectStockInvariants());
  afterAll(async () => {
    await other.end();
    await watcher.end();
    await stock.close();
  });

  type Place = Warehouse;
  async function* inPieces(text: string, of = 1000) {
    for (let at = 0; at < text.length; at += of) yield Buffer.from(text.slice(at, at + of));
  }
  const put = (warehouse: Place, text: string, isConnected = () => true) =>
    importStock(
      {
        databaseUrl: stock.url,
        product: product as never,
        signals: engine.signals,
        logger,
      },
      { warehouse, actor: 'test', content: inPieces(text), isConnected },
    );
  const levelsOf = ({ id }: Place) =>
    stock.query<{ sku: string; onHand: number; reserved: number }>(
      `select sku, on_hand as "onHand", reserved from stock_level where warehouse_id = $1
       order by sku`,
      [id],
    );
  const reserve = (shopId: string, skus: readonly string[], quantity = 1) =>
    reserveStock(engine, {
      orderId: newId(),
      lines: skus.map((sku) => ({ shopId, sku, quantity })),
      reserveForMs: 900_000,
    });

  it('waits for a locked row, and corrects the units on hand after that', async () => {
    const { shopId, sku, warehouses } = await stockUp(engine, [5]);
    const [warehouse] = warehouses as [Place];
    await other.query('begin');
    await other.query('select from stock_item where shop_id = $1 for update', [shopId]);
    await other.query('update stock_level set on_hand = 4 where warehouse_id = $1', [warehouse.id]);
    await other.query(
      `insert into stock_movement (id, level_id, type, on_hand_delta, reserved_delta, actor)
       select $1, id, 'ADJUSTMENT', -1, 0, 'other' from stock_level where warehouse_id = $2`,
      [newId(), warehouse.id],
    );
    await other.query('update stock_item set available = 4 where shop_id = $1', [shopId]);
    const importing = put(warehouse, `sku,quantity\n${sku},9\n`);
    await someoneWaits(watcher);
    await other.query('commit');
    const { id } = await importing;
    expect(
      await stock.query('select on_hand_delta as d from stock_movement where reference = $1', [id]),
    ).toEqual([{ d: 5 }]);
    expect(await levelsOf(warehouse)).toEqual([{ sku, onHand: 9, reserved: 0 }]);
  });

  it('applies a file with fewer units than were reserved meanwhile, which raises the shortfall', async () => {
    const { shopId, sku, warehouses } = await stockUp(engine, [5]);
    const [warehouse] = warehouses as [Place];
    await other.query('begin');
    await other.query('select from stock_item where shop_id = $1 for update', [shopId]);
    const importing = put(warehouse, `sku,quantity\n${sku},1\n`);
    await someoneWaits(watcher);
    const reservation = newId();
    const held = `with r as (insert into reservation (order_id, state, expires_at)
        values ($1, 'HELD', now() + interval '1 hour')),
      l as (update stock_level set reserved = 2 where warehouse_id = $2 returning id),
      m as (insert into stock_movement
        (id, level_id, type, on_hand_delta, reserved_delta, actor, reference)
        select $3, id, 'RESERVATION', 0, 2, 'order', $1::text from l)
      insert into reservation_line (order_id, level_id, quantity) select $1::uuid, id, 2 from l`;
    await other.query(held, [reservation, warehouse.id, newId()]);
    await other.query('update stock_item set available = 3 where shop_id = $1', [shopId]);
    await other.query('commit');
    expect(await importing).toMatchObject({ levelsChanged: 1 });
    expect(await levelsOf(warehouse)).toEqual([{ sku, onHand: 1, reserved: 2 }]);
    const level = 'select shortfall from stock_level where warehouse_id = $1';
    expect(await stock.query(level, [warehouse.id])).toEqual([{ shortfall: 1 }]);
    const item = 'select available from stock_item where shop_id = $1';
    expect(await stock.query(item, [shopId])).toEqual([{ available: 0 }]);
  });

  it('loses no units and causes no deadlock with reservations and deliveries of the same skus', async () => {
    const { shopId, warehouses } = await stockUp(engine, [5, 5]);
    const [warehouse] = warehouses as [Place];
    const skus = Array.from({ length: 60 }, (_, n) => `MANY-${shopId.slice(-6)}-${n}`);
    const file = (quantity: number) =>
      `sku,quantity\n${skus.map((sku) => `${sku},${quantity}`).join('\n')}`;
    await put(warehouse, file(1000));
    let done = false;
    let reserved = 0;
    const customers = Array.from({ length: 6 }, async (_, n) => {
      for (let at = n; !done; at += 7) {
        const some = [0, 1, 2].map((by) => skus[(at * (by + 1) + by) % skus.length] as string);
        await reserve(shopId, [...new Set(some)].reverse());
        reserved += 1;
      }
    });
    const deliveries = (async () => {
      for (let at = 0; !done; at++) {
        const sku = skus[(at * 11) % skus.length] as string;
        const to = { quantity: 1, reference: null, actor: 'test', sku };
        await receiveStock(engine, { ...to, warehouse: warehouses[at % 2] as never });
      }
    })();
    for (let round = 0; round < 4; round++) await put(warehouse, file(2000 + round));
    done = true;
    await Promise.all([...customers, deliveries]);
    expect(reserved).toBeGreaterThan(0);
  });

  it('imports two files with the same new skus at the same time', async () => {
    const { warehouses } = await stockUp(engine, [1, 1]);
    const [first, second] = warehouses as [Place, Place];
    const lines = Array.from({ length: 500 }, (_, n) => `BOTH-${first.id.slice(-6)}-${n},3`);
    const file = `sku,quantity\n${lines.join('\n')}`;
    const outcomes = await Promise.all([put(first, file), put(second, file)]);
    expect(outcomes.map(({ levelsChanged }) => levelsChanged)).toEqual([500, 500]);
  });

  it('changes nothing after an aborted upload, and imports at most two files at a time', async () => {
    const { sku, warehouses } = await stockUp(engine, [5]);
    const [warehouse] = warehouses as [Place];
    const file = `sku,quantity\n${sku},1\n`;
    await expect(put(warehouse, file, () => false)).rejects.toThrow('nothing was changed');
    expect(await levelsOf(warehouse)).toEqual([{ sku, onHand: 5, reserved: 0 }]);
    const three = await Promise.allSettled([1, 2, 3].map(() => put(warehouse, file)));
    const refused = three.filter(({ status }) => status === 'rejected');
    expect(refused).toMatchObject([{ reason: { extensions: { code: 'TRY_AGAIN' } } }]);
  });

  it('leaves no temporary table in the database', async () => {
    const { sku, warehouses } = await stockUp(engine, [5]);
    await put(warehouses[0] as Place, `sku,quantity\n${sku},1\n`);
    expect(await stock.query(`select from pg_class where relname like 'import_%'`)).toEqual([]);
  });
});
