import pg from 'pg';
import { type CutPoint, startPostgresProxy } from '../../../tests/harness/postgres-proxy.js';
import { endSale, lineOf, putInSale, requestOf, saleStock } from '../../../tests/harness/sales.js';
import { openStock, stockUp, type TestStock } from '../../../tests/harness/stock-engine.js';
import { someoneWaits } from '../../../tests/harness/wait.js';
import type { StockKey } from '../../contracts/stock-key.js';
import type { SaleAllocation } from '../../contracts/warehouse.js';
import { newId } from '../../shared/ids.js';
import { setWarehouseActive } from '../activation/set-warehouse-active.js';
import { commitReservation, reserveStock, type StockEngine } from '../reservation/engine.js';
import { receiveStock } from '../stock/receive-stock.js';
import type { Warehouse } from '../warehouse/warehouse.js';
import { allocateSale } from './allocate-sale.js';

const applied = { refused: [], lastRevision: null };

describe('allocating units to a sale', () => {
  let stock: TestStock;
  let engine: StockEngine;
  beforeAll(async () => {
    stock = await openStock();
    engine = await stock.engine();
  });
  afterEach(() => stock.expectStockInvariants());
  afterAll(() => stock.close());

  const itemOf = async ({ shopId, sku }: StockKey) => {
    const [item] = await stock.query<{ saleId: string; setAside: number; version: number }>(
      `select sale_id as "saleId", set_aside as "setAside", version from stock_item
       where shop_id = $1 and sku = $2`,
      [shopId, sku],
    );
    return item;
  };
  const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString();
  const allocationOf = (
    { shopId }: StockKey,
    lines: SaleAllocation['lines'],
    more: Partial<SaleAllocation> = {},
  ): SaleAllocation => ({
    saleId: newId(),
    shopId,
    revision: 1,
    endsAt: inAnHour(),
    lines,
    ...more,
  });
  const hold = (key: StockKey, units: number, saleId: string) =>
    reserveStock(engine, requestOf(lineOf(key, units, saleId)));

  it('refuses more units than are available, of all lines or none', async () => {
    const key = await stockUp(engine, [5]);
    const lines = [
      { sku: key.sku, units: 5 },
      { sku: 'NEVER-STOCKED', units: 1 },
    ];
    expect((await allocateSale(engine, allocationOf(key, lines))).refused).toEqual([
      { sku: 'NEVER-STOCKED', units: 1, least: 0, most: 0, otherSaleId: null },
    ]);
    expect(await itemOf(key)).toMatchObject({ saleId: null, setAside: 0 });
    const tooMany = allocationOf(key, [{ sku: key.sku, units: 6 }]);
    expect((await allocateSale(engine, tooMany)).refused).toEqual([
      { sku: key.sku, units: 6, least: 0, most: 5, otherSaleId: null },
    ]);
    expect(await saleStock(engine, tooMany.saleId)).toBeUndefined();
  });

  it('refuses units of an item that another sale has until its end', async () => {
    const key = await stockUp(engine, [5]);
    const { saleId } = await putInSale(engine, key, 2);
    const second = await putInSale(engine, key, 1);
    expect(second.refused).toMatchObject([{ otherSaleId: saleId }]);
    await endSale(stock, key);
    const third = await putInSale(engine, key, 1);
    expect(third.refused).toEqual([]);
    expect(await itemOf(key)).toMatchObject({ saleId: third.saleId, setAside: 1 });
  });

  it('frees its units by a later revision that comes while the first waits for its items', async () => {
    const key = await stockUp(engine, [9]);
    const first = allocationOf(key, [{ sku: key.sku, units: 5 }]);
    const other = new pg.Client({ connectionString: stock.url });
    await other.connect();
    await other.query('begin');
    await other.query('select from stock_item where shop_id = $1 for update', [key.shopId]);
    const allocated = allocateSale(engine, first);
    await someoneWaits(other);
    const cancelled = allocateSale(engine, { ...first, revision: 2, lines: [] });
    await Promise.race([cancelled, new Promise((resolve) => setTimeout(resolve, 100))]);
    await other.query('commit');
    await other.end();
    expect(await Promise.all([allocated, cancelled])).toEqual([applied, applied]);
    expect(await itemOf(key)).toMatchObject({ saleId: null, setAside: 0 });
  });

  it('applies a revision once, and no earlier one after it', async () => {
    const key = await stockUp(engine, [9]);
    const first = allocationOf(key, [{ sku: key.sku, units: 5 }]);
    expect(await allocateSale(engine, first)).toEqual(applied);
    const before = await itemOf(key);
    expect(await allocateSale(engine, first)).toEqual(applied);
    expect(await itemOf(key)).toEqual(before);
    expect(await allocateSale(engine, { ...first, revision: 3, lines: [] })).toEqual(applied);
    const late = { refused: [], lastRevision: 3 };
    expect(await allocateSale(engine, { ...first, revision: 2 })).toEqual(late);
    expect(await itemOf(key)).toMatchObject({ saleId: null, setAside: 0 });
  });

  it('does not take another allocation of the last revision for that one', async () => {
    const key = await stockUp(engine, [9]);
    const first = allocationOf(key, [{ sku: key.sku, units: 5 }]);
    expect(await allocateSale(engine, first)).toEqual(applied);
    const used = { refused: [], lastRevision: first.revision };
    const others = [
      { ...first, lines: [{ sku: key.sku, units: 4 }] },
      { ...first, lines: [] },
      { ...first, endsAt: new Date(Date.now() + 1000).toISOString() },
    ];
    for (const other of others) expect(await allocateSale(engine, other)).toEqual(used);
    expect(await itemOf(key)).toMatchObject({ saleId: first.saleId, setAside: 5 });
    const next = { ...others[0], revision: first.revision + 1 } as SaleAllocation;
    expect(await allocateSale(engine, next)).toEqual(applied);
    expect(await itemOf(key)).toMatchObject({ setAside: 4 });
  });

  it('applies each of simultaneous revisions or a later one', async () => {
    const key = await stockUp(engine, [50]);
    const first = allocationOf(key, []);
    const all = Array.from({ length: 12 }, (_, n) => {
      return { ...first, revision: n + 1, lines: [{ sku: key.sku, units: n + 1 }] };
    });
    await Promise.all(all.map((each) => allocateSale(engine, each)));
    expect(await itemOf(key)).toMatchObject({ saleId: first.saleId, setAside: 12 });
  });

  it('may be lowered to what is held and sold, and raised by what is available', async () => {
    const key = await stockUp(engine, [10]);
    const { saleId } = await putInSale(engine, key, 6);
    const paid = await hold(key, 2, saleId);
    await commitReservation(engine, { orderId: paid.orderId, paymentId: newId() });
    await hold(key, 1, saleId);
    const low = await putInSale(engine, key, 2, { saleId });
    expect(low.refused).toMatchObject([{ units: 2, least: 3, most: 10 }]);
    expect((await putInSale(engine, key, 3, { saleId })).refused).toEqual([]);
    expect((await hold(key, 1, saleId)).state).toBe('SHORT');
    expect((await putInSale(engine, key, 10, { saleId })).refused).toEqual([]);
    expect((await hold(key, 7, saleId)).state).toBe('HELD');
  });

  it('keeps what is confirmed where fewer units are available by now, and is not raised', async () => {
    const key = await stockUp(engine, [4, 6]);
    const { saleId } = await putInSale(engine, key, 8);
    await setWarehouseActive(engine, key.warehouses[1] as Warehouse, false, 'test');
    const endsInMs = 60_000;
    for (const units of [8, 7])
      expect((await putInSale(engine, key, units, { saleId, endsInMs })).refused).toEqual([]);
    expect(await itemOf(key)).toMatchObject({ setAside: 7 });
    const raised = await putInSale(engine, key, 8, { saleId });
    expect(raised.refused).toMatchObject([{ units: 8, least: 0, most: 7 }]);
  });

  it('locks no item whose units do not change', async () => {
    const key = await stockUp(engine, [9]);
    const other = { shopId: key.shopId, sku: `${key.sku}-OTHER` };
    const warehouse = key.warehouses[0] as Warehouse;
    const received = { warehouse, sku: other.sku, quantity: 9, reference: null, actor: 'test' };
    await receiveStock(engine, received);
    const same = { sku: key.sku, units: 5 };
    const first = allocationOf(key, [same, { sku: other.sku, units: 1 }]);
    await allocateSale(engine, first);
    const client = new pg.Client({ connectionString: stock.url });
    await client.connect();
    await client.query('begin');
    await client.query('select from stock_item where shop_id = $1 and sku = $2 for update', [
      key.shopId,
      key.sku,
    ]);
    const lines = [same, { sku: other.sku, units: 9 }];
    expect(await allocateSale(engine, { ...first, revision: 2, lines })).toEqual(applied);
    await client.query('rollback');
    await client.end();
    expect(await itemOf(other)).toMatchObject({ setAside: 9 });
  });

  it('ends earlier with the same units', async () => {
    const key = await stockUp(engine, [9]);
    const first = allocationOf(key, [{ sku: key.sku, units: 5 }]);
    await allocateSale(engine, first);
    const endsAt = new Date(Date.now() + 60_000).toISOString();
    expect(await allocateSale(engine, { ...first, revision: 2, endsAt })).toEqual(applied);
    const [item] = await stock.query<{ until: Date; due: Date }>(
      'select set_aside_until as until, end_due_at as due from stock_item where shop_id = $1',
      [key.shopId],
    );
    expect([item?.until, item?.due].map((at) => new Date(at as Date).toISOString())).toEqual([
      endsAt,
      endsAt,
    ]);
  });

  it('that is over keeps its units in the books when another sale has the item', async () => {
    const key = await stockUp(engine, [5]);
    const { saleId } = await putInSale(engine, key, 4);
    await endSale(stock, key);
    const second = await putInSale(engine, key, 3);
    expect((await putInSale(engine, key, 4, { saleId })).refused).toEqual([]);
    expect(await itemOf(key)).toMatchObject({ saleId: second.saleId, setAside: 3 });
    expect(await saleStock(engine, saleId)).toMatchObject({ allocated: 4, remaining: 0 });
  });

  it('is not raised once all of it is sold: buyers were answered that it is sold out', async () => {
    const key = await stockUp(engine, [10]);
    const { saleId } = await putInSale(engine, key, 2);
    const paid = await hold(key, 2, saleId);
    await commitReservation(engine, { orderId: paid.orderId, paymentId: newId() });
    const raised = await putInSale(engine, key, 3, { saleId });
    expect(raised.refused).toMatchObject([{ least: 2, most: 2 }]);
  });

  it('gives items back that it no longer names, and keeps what is held of them', async () => {
    const key = await stockUp(engine, [10]);
    const first = allocationOf(key, [{ sku: key.sku, units: 6 }]);
    await allocateSale(engine, first);
    await hold(key, 2, first.saleId);
    await allocateSale(engine, { ...first, revision: 2, lines: [] });
    expect(await itemOf(key)).toMatchObject({ saleId: null, setAside: 0 });
    expect(await saleStock(engine, first.saleId)).toMatchObject({ allocated: 2, held: 2 });
    const unsold = await putInSale(engine, key, 3);
    await putInSale(engine, key, null, unsold);
    expect(await saleStock(engine, unsold.saleId)).toBeUndefined();
  });

  it('publishes the regular units, and an event when they run out or come back', async () => {
    const key = await stockUp(engine, [4]);
    await stock.query('delete from outbox');
    const sent: unknown[] = [];
    const messages = await stock.redisAt(1);
    await messages.subscribe('stock');
    messages.on('message', (_channel, text) => sent.push(...JSON.parse(text)));
    const { saleId } = await putInSale(engine, key, 4);
    await putInSale(engine, key, null, { saleId });
    const ping = () =>
      engine.signals.send({ changed: [{ ...key, available: -1, version: 0, at: '' }] });
    ping();
    while (!sent.some((each) => (each as { available: number }).available === -1)) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(sent.slice(0, 2)).toMatchObject([
      { sku: key.sku, available: 0, version: 2 },
      { sku: key.sku, available: 4, version: 3 },
    ]);
    const events = await stock.query(
      `select version::int, payload->'inStock' as "inStock" from outbox order by version`,
    );
    expect(events).toEqual([
      { version: 2, inStock: false },
      { version: 3, inStock: true },
    ]);
  });

  it.each<CutPoint>([
    'before it reaches PostgreSQL',
    'after PostgreSQL has committed',
    'before PostgreSQL commits, which it does later',
  ])('is applied once when its connection is lost at COMMIT, %s', async (point) => {
    const proxy = await startPostgresProxy(stock.url);
    const behindProxy = await stock.engine({ databaseUrl: proxy.url });
    const key = await stockUp(behindProxy, [10]);
    proxy.cutNextCommit(point);
    const { saleId, refused } = await putInSale(behindProxy, key, 6);
    expect(refused).toEqual([]);
    expect(proxy.cuts()).toBe(1);
    expect(await itemOf(key)).toEqual({ saleId, setAside: 6, version: 2 });
    await proxy.stop();
  });
});
