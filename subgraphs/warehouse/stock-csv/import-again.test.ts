import pg from 'pg';
import { type CutPoint, startPostgresProxy } from '../../../tests/harness/postgres-proxy.js';
import { openStock, stockUp, type TestStock } from '../../../tests/harness/stock-engine.js';
import { openImports } from '../../../tests/harness/stock-files.js';
import { someoneWaits } from '../../../tests/harness/wait.js';
import { isDatabaseUnavailable } from '../../shared/database/errors.js';
import { OutcomeUnknown, tryAgain } from '../../shared/errors.js';
import type { StockEngine } from '../reservation/engine.js';
import { adjustStock } from '../stock/adjust-stock.js';
import type { Warehouse } from '../warehouse/warehouse.js';

const cutPoints: CutPoint[] = [
  'before it reaches PostgreSQL',
  'after PostgreSQL has committed',
  'before PostgreSQL commits, which it does later',
  'never, but without a response',
];

/** Sends a file until its connection is cut: on a busy machine PostgreSQL may end the transaction before its COMMIT. */
async function untilCut<T>(proxy: { cuts(): number }, send: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await send();
    } catch (error) {
      if (proxy.cuts() > 0 || !isDatabaseUnavailable(error)) throw error;
    }
  }
}

describe('importing a stock file again', () => {
  let stock: TestStock;
  let engine: StockEngine;
  let imports: ReturnType<typeof openImports>;
  beforeAll(async () => {
    stock = await openStock();
    engine = await stock.engine();
    imports = openImports(stock, engine);
  });
  afterEach(async () => {
    await stock.expectStockInvariants();
    expect(imports.uploads.bytes).toBe(0);
  });
  afterAll(() => stock.close());

  const onHandOf = async ({ id }: Warehouse) => {
    const [level] = await stock.query<{ onHand: number }>(
      'select on_hand as "onHand" from stock_level where warehouse_id = $1',
      [id],
    );
    return level?.onHand;
  };
  const importsOf = ({ id }: Warehouse) =>
    stock.query(
      `select distinct reference from stock_movement m join stock_level l on l.id = m.level_id
       where warehouse_id = $1 and reason = 'CSV import'`,
      [id],
    );
  async function open() {
    const { sku, warehouses } = await stockUp(engine, [5]);
    const warehouse = warehouses[0] as Warehouse;
    const file = (quantity: number) => `sku,quantity\n${sku},${quantity}\n`;
    const lose = (units: number) => {
      const adjustment = { warehouse, sku, delta: -units, reason: 'lost', actor: 'test' };
      return adjustStock(engine, adjustment);
    };
    return { sku, warehouse, file, lose };
  }

  it('under its key returns the first outcome, and changes nothing', async () => {
    const { warehouse, file, lose } = await open();
    const first = await imports.put(warehouse, file(10), { key: 'once' });
    await lose(3);
    expect(await imports.put(warehouse, file(10), { key: 'once' })).toEqual(first);
    expect(await onHandOf(warehouse)).toBe(7);
  });

  it('under its key returns the first outcome while another file of the shop is imported', async () => {
    const { warehouse, file } = await open();
    const first = await imports.put(warehouse, file(10), { key: 'during another' });
    const other = new pg.Client({ connectionString: stock.url });
    await other.connect();
    await other.query('begin');
    await other.query('select from stock_item where shop_id = $1 for update', [warehouse.shopId]);
    const another = imports.put(warehouse, file(11));
    const watcher = new pg.Client({ connectionString: stock.url });
    await watcher.connect();
    await someoneWaits(watcher);
    expect(await imports.put(warehouse, file(10), { key: 'during another' })).toEqual(first);
    await other.query('rollback');
    await another;
    await Promise.all([other.end(), watcher.end()]);
  });

  it('without a key sets the units again', async () => {
    const { warehouse, file, lose } = await open();
    await imports.put(warehouse, file(10));
    await lose(3);
    expect(await imports.put(warehouse, file(10))).toMatchObject({ levelsChanged: 1 });
    expect(await onHandOf(warehouse)).toBe(10);
  });

  it('under its key, but as another file, for another warehouse or user, is another request', async () => {
    const { warehouse, file } = await open();
    const another = await open();
    const key = 'reused';
    const { id } = await imports.put(warehouse, file(10), { key });
    const reused = { extensions: { code: 'IDEMPOTENCY_KEY_REUSED' } };
    await expect(imports.put(warehouse, file(11), { key })).rejects.toMatchObject(reused);
    await expect(imports.put(another.warehouse, file(10), { key })).rejects.toMatchObject(reused);
    expect([await onHandOf(warehouse), await onHandOf(another.warehouse)]).toEqual([10, 5]);
    const other = openImports(stock, engine);
    expect((await other.put(warehouse, file(10), { key })).id).not.toBe(id);
  });

  it('after it was refused is imported', async () => {
    const { sku, warehouse } = await open();
    const file = `sku,quantity,threshold,expected\n${sku},10,,6\n`;
    const key = 'refused first';
    await expect(imports.put(warehouse, file, { key })).rejects.toMatchObject({
      extensions: { code: 'BAD_USER_INPUT', badLineCount: 1 },
    });
    await adjustStock(engine, { warehouse, sku, delta: 1, reason: 'found', actor: 'test' });
    expect(await imports.put(warehouse, file, { key })).toMatchObject({ levelsChanged: 1 });
    expect(await onHandOf(warehouse)).toBe(10);
    // The expected units differ now; the first outcome is returned all the same.
    expect(await imports.put(warehouse, file, { key })).toMatchObject({ levelsChanged: 1 });
  });

  it('ten times at once under its key, in two processes, is imported once', async () => {
    const { warehouse, file } = await open();
    const user = { key: 'ten at once', actor: warehouse.shopId };
    const processes = [imports, openImports(stock, engine)] as const;
    const outcomes = await Promise.all(
      Array.from({ length: 10 }, (_, n) =>
        (processes[n % 2] as typeof imports).put(warehouse, file(20), user),
      ),
    );
    for (const outcome of outcomes) expect(outcome).toEqual(outcomes[0]);
    expect(await importsOf(warehouse)).toHaveLength(1);
    expect(await onHandOf(warehouse)).toBe(20);
  });

  describe.each(cutPoints)('when its connection was lost at COMMIT, %s', (point) => {
    it('returns the outcome with a key, and imports it once', async () => {
      const { warehouse, file, lose } = await open();
      const proxy = await startPostgresProxy(stock.url);
      const { put } = openImports(stock, engine, { databaseUrl: proxy.url });
      proxy.cutNextCommit(point);
      const sent = { key: point, actor: warehouse.shopId };
      const outcome = await untilCut(proxy, () => put(warehouse, file(10), sent));
      expect(outcome).toMatchObject({ lines: 1, levelsChanged: 1 });
      expect(proxy.cuts()).toBe(1);
      expect(await importsOf(warehouse)).toEqual([{ reference: outcome.id }]);
      await lose(3);
      expect(await put(warehouse, file(10), sent)).toEqual(outcome);
      expect(await onHandOf(warehouse)).toBe(7);
      await proxy.stop();
    });

    it('has an unknown outcome without a key', async () => {
      const { warehouse, file } = await open();
      const proxy = await startPostgresProxy(stock.url);
      const { put } = openImports(stock, engine, { databaseUrl: proxy.url });
      proxy.cutNextCommit(point);
      const sending = untilCut(proxy, () => put(warehouse, file(10)));
      await expect(sending).rejects.toThrow(OutcomeUnknown);
      expect(proxy.cuts()).toBe(1);
      await proxy.stop();
    });
  });

  it('is looked up before anything else, as the product subgraph may be unavailable meanwhile', async () => {
    const { sku, warehouse } = await open();
    let calls = 0;
    const call = async (_call: unknown, { of }: { of?: unknown[] }) => {
      calls += 1;
      if (calls > 1) throw tryAgain('The product subgraph is unavailable.');
      return of;
    };
    const proxy = await startPostgresProxy(stock.url);
    const { put } = openImports(stock, engine, { databaseUrl: proxy.url, call });
    proxy.cutNextCommit('before PostgreSQL commits, which it does later');
    const file = `sku,quantity\n${sku}-NEW,10\n`;
    expect(await put(warehouse, file, { key: 'product gone' })).toMatchObject({ levelsChanged: 1 });
    await proxy.stop();
  });

  it('has an unknown outcome with a key, too, if the database does not come back', async () => {
    const { warehouse, file } = await open();
    const proxy = await startPostgresProxy(stock.url);
    const { put } = openImports(stock, engine, { databaseUrl: proxy.url });
    proxy.cutNextCommit('after PostgreSQL has committed');
    const lost = put(warehouse, file(10), { key: 'database gone' });
    lost.catch(() => {});
    while (proxy.cuts() === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await proxy.stop();
    await expect(lost).rejects.toThrow(OutcomeUnknown);
  });
});
