import { openStock, stockUp, type TestStock } from '../../../tests/harness/stock-engine.js';
import { newIdAt, timeOfId } from '../../shared/ids.js';
import { setWarehouseActive } from '../activation/set-warehouse-active.js';

describe('the history of a warehouse', () => {
  let stock: TestStock;
  beforeAll(async () => {
    stock = await openStock();
  });
  afterEach(() => stock.expectStockInvariants());
  afterAll(() => stock.close());

  /** oldest first */
  async function typesOf(warehouseId: string): Promise<string[]> {
    const rows = await stock.query<{ type: string }>(
      'select type from warehouse_event where warehouse_id = $1 order by id',
      [warehouseId],
    );
    return rows.map(({ type }) => type);
  }
  const alternating = (length: number) =>
    Array.from({ length }, (_, n) => (n % 2 ? 'DEACTIVATED' : 'ACTIVATED'));

  it('alternates, however many changes arrive at once at two processes', async () => {
    const engines = [await stock.engine(), await stock.engine()] as const;
    const { shopId, warehouseIds } = await stockUp(engines[0], [5]);
    const [id] = warehouseIds as [string];
    const changes = Array.from({ length: 40 }, (_, n) => {
      const engine = n % 4 < 2 ? engines[0] : engines[1];
      return setWarehouseActive(engine, { shopId, id }, n % 2 === 1, 'test');
    });
    await Promise.all(changes);
    const types = await typesOf(id);
    expect(types.length).toBeGreaterThan(1);
    expect(types).toEqual(alternating(types.length));
  });

  it('is in order after an event of a process whose clock is ahead', async () => {
    const engine = await stock.engine();
    const { shopId, warehouseIds } = await stockUp(engine, [5]);
    const [id] = warehouseIds as [string];
    const aheadMs = Date.now() + 3_600_000;
    await stock.query(
      `insert into warehouse_event (id, shop_id, warehouse_id, type, actor)
       values ($1, $4, $3, 'DEACTIVATED', 'test'), ($2, $4, $3, 'ACTIVATED', 'test')`,
      [newIdAt(aheadMs - 1), newIdAt(aheadMs), id, shopId],
    );
    await setWarehouseActive(engine, { shopId, id }, false, 'test');
    await setWarehouseActive(engine, { shopId, id }, true, 'test');
    expect(await typesOf(id)).toEqual(alternating(5));
    const [last] = await stock.query<{ id: string; at: Date }>(
      'select id, created_at as at from warehouse_event where warehouse_id = $1 order by id desc',
      [id],
    );
    expect(timeOfId(last?.id as string)).toBe(aheadMs + 2);
    expect(last?.at.getTime()).toBeLessThan(aheadMs);
  });

  it('cannot be changed or deleted', async () => {
    await stockUp(await stock.engine(), [5]);
    for (const statement of [
      `update warehouse_event set actor = 'another'`,
      'delete from warehouse_event',
    ]) {
      await expect(stock.query(statement)).rejects.toThrow('append-only');
    }
  });
});
