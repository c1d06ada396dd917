import pg from 'pg';
import { openStock, stockUp, type TestStock } from '../../../tests/harness/stock-engine.js';
import { openImports } from '../../../tests/harness/stock-files.js';
import { someoneWaits } from '../../../tests/harness/wait.js';
import { newId } from '../../shared/ids.js';
import { onEnqueued } from '../../shared/messaging/outbox.js';
import { reserveStock, type StockEngine } from '../reservation/engine.js';
import { receiveStock } from '../stock/receive-stock.js';
import type { Warehouse } from '../warehouse/warehouse.js';

/** Takes one of five units from a level, as another process does. */
async function removeUnit(client: pg.Client, { id }: { readonly id: string }): Promise<void> {
  await client.query(
    `with level as (
       update stock_level set on_hand = 4, last_seq = 2 where warehouse_id = $2 returning *)
     insert into stock_movement (shop_id, level_id, id, seq, type, on_hand_delta, reserved_delta,
       on_hand, reserved, committed, unavailable, actor, created_at)
     select shop_id, id, $1, 2, 'ADJUSTMENT', -1, 0, 4, 0, 0, 0, 'other',
       uuid_extract_timestamp($1::uuid) from level`,
    [newId(), id],
  );
}

describe('importing stock during other changes', () => {
  let stock: TestStock;
  let engine: StockEngine;
  let put: ReturnType<typeof openImports>['put'];
  let other: pg.Client;
  // A separate connection: within a transaction pg_stat_activity does not change.
  let watcher: pg.Client;
  beforeAll(async () => {
    stock = await openStock();
    engine = await stock.engine();
    ({ put } = openImports(stock, engine));
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

  it('wakes the relay of its process for the SKUs that came into stock', async () => {
    const { warehouses } = await stockUp(engine, [5]);
    const woken: string[] = [];
    onEnqueued(engine.orm, (consumers) => woken.push(...consumers));
    await put(warehouses[0] as Place, 'sku,quantity\nNEW-OF-FILE,9\n');
    expect(woken).toEqual(['product']);
  });

  it('waits for a locked row, and corrects the units on hand after that', async () => {
    const { shopId, sku, warehouses } = await stockUp(engine, [5]);
    const [warehouse] = warehouses as [Place];
    await other.query('begin');
    await other.query('select from stock_item where shop_id = $1 for update', [shopId]);
    await removeUnit(other, warehouse);
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
    const held = `with r as (insert into reservation (order_id, shop_ids, state, expires_at)
        select $1, array[shop_id], 'HELD', now() + interval '1 hour' from stock_level
        where warehouse_id = $2),
      l as (update stock_level set reserved = 2, last_seq = 2 where warehouse_id = $2 returning *),
      m as (insert into stock_movement (shop_id, level_id, id, seq, type, on_hand_delta,
          reserved_delta, on_hand, reserved, committed, unavailable, actor, reference,
          created_at)
        select shop_id, id, $3, 2, 'RESERVATION', 0, 2, 5, 2, 0, 0, 'order', $1::text,
          uuid_extract_timestamp($3::uuid) from l)
      insert into reservation_line (order_id, shop_id, level_id, quantity)
      select $1::uuid, shop_id, id, 2 from l`;
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

  it('imports two files with the same new skus at the same time, in two processes', async () => {
    const { warehouses } = await stockUp(engine, [1, 1]);
    const [first, second] = warehouses as [Place, Place];
    const lines = Array.from({ length: 500 }, (_, n) => `BOTH-${first.id.slice(-6)}-${n},3`);
    const file = `sku,quantity\n${lines.join('\n')}`;
    const another = openImports(stock, engine);
    const outcomes = await Promise.all([put(first, file), another.put(second, file)]);
    expect(outcomes.map(({ levelsChanged }) => levelsChanged)).toEqual([500, 500]);
  });

  it('changes nothing after an aborted upload', async () => {
    const { sku, warehouses } = await stockUp(engine, [5]);
    const [warehouse] = warehouses as [Place];
    const aborted = put(warehouse, `sku,quantity\n${sku},1\n`, { isConnected: () => false });
    await expect(aborted).rejects.toThrow('nothing was changed');
    expect(await levelsOf(warehouse)).toEqual([{ sku, onHand: 5, reserved: 0 }]);
  });

  it('is done with a key though the client is gone, as its outcome can be asked for later', async () => {
    const { sku, warehouses } = await stockUp(engine, [5]);
    const [warehouse] = warehouses as [Place];
    const sent = { key: 'gone', isConnected: () => false };
    await put(warehouse, `sku,quantity\n${sku},1\n`, sent);
    expect(await levelsOf(warehouse)).toEqual([{ sku, onHand: 1, reserved: 0 }]);
  });

  it('is done though its changes could not be published', async () => {
    const { sku, warehouses } = await stockUp(engine, [5]);
    const [warehouse] = warehouses as [Place];
    const send = () => {
      throw new Error('lost');
    };
    const imports = openImports(stock, { ...engine, signals: { ...engine.signals, send } });
    const outcome = await imports.put(warehouse, `sku,quantity\n${sku},1\n`);
    expect(outcome).toMatchObject({ levelsChanged: 1 });
  });

  it('imports one file of a shop, and at most two files, at a time', async () => {
    const shops = await Promise.all([1, 2, 3].map(() => stockUp(engine, [5])));
    const [a, b, c] = shops.map(({ warehouses, sku }) => {
      return { warehouse: warehouses[0] as Place, file: `sku,quantity\n${sku},1\n` };
    });
    const files = [a, a, b, c].map((each) => each as NonNullable<typeof each>);
    const outcomes = await Promise.allSettled(
      files.map(({ warehouse, file }) => put(warehouse, file)),
    );
    const sameShop = 'Another file of this shop is being imported';
    expect(outcomes.map(({ status }) => status)).toEqual([
      ...['fulfilled', 'rejected', 'fulfilled', 'rejected'],
    ]);
    const reason = (message: string) => {
      return { message: expect.stringContaining(message), extensions: { code: 'TRY_AGAIN' } };
    };
    expect(outcomes[1]).toMatchObject({ reason: reason(sameShop) });
    expect(outcomes[3]).toMatchObject({ reason: reason('Other files are being imported') });
  });

  it('compares the expected units behind the locks', async () => {
    const { shopId, sku, warehouses } = await stockUp(engine, [5]);
    const [warehouse] = warehouses as [Place];
    await other.query('begin');
    await other.query('select from stock_item where shop_id = $1 for update', [shopId]);
    const importing = put(warehouse, `sku,quantity,threshold,expected\n${sku},9,,5\n`);
    importing.catch(() => {});
    await someoneWaits(watcher);
    await removeUnit(other, warehouse);
    await other.query('update stock_item set available = 4 where shop_id = $1', [shopId]);
    await other.query('commit');
    const reason = '4 units are on hand, not 5 as expected';
    await expect(importing).rejects.toMatchObject({
      extensions: { badLines: [{ line: 2, sku, reason }], badLineCount: 1 },
    });
    expect(await levelsOf(warehouse)).toEqual([{ sku, onHand: 4, reserved: 0 }]);
  });

  it('leaves no temporary table in the database', async () => {
    const { sku, warehouses } = await stockUp(engine, [5]);
    await put(warehouses[0] as Place, `sku,quantity\n${sku},1\n`);
    expect(await stock.query(`select from pg_class where relname like 'import_%'`)).toEqual([]);
  });
});
