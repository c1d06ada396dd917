import { openStock, type TestStock } from '../../../tests/harness/stock-engine.js';
import { newId } from '../../shared/ids.js';
import { allLowSql, listAllLowStock } from './list-low-stock.js';

describe('the low levels of all shops', () => {
  let stock: TestStock;
  beforeAll(async () => {
    stock = await openStock();
  });
  afterAll(() => stock.close());

  /** Creates levels of 20 units in warehouses of a shop each; every fifth has a threshold above. */
  const createLevels = (shops: number, skus: number) =>
    stock.query(
      `with shop as (
         insert into warehouse (id, shop_id, name)
         select gen_random_uuid(), gen_random_uuid(), 'Main' from generate_series(1, $1)
         returning id, shop_id)
       insert into stock_level (id, warehouse_id, shop_id, sku, on_hand, low_stock_threshold)
       select gen_random_uuid(), id, shop_id, 'SKU-' || n, 20, case when n % 5 = 0 then 50 else 10 end
       from shop, generate_series(1, $2) as n`,
      [shops, skus],
    );

  it('are read by their index, a page from where the last one ended', async () => {
    await createLevels(20, 500);
    await stock.query('analyze stock_level');
    await stock.query('set enable_seqscan = off');
    const rows = await stock.query(`explain ${allLowSql}`, [newId(), newId(), 21]);
    const plan = JSON.stringify(rows);
    expect(plan).toMatch(/Index Scan using stock_level_low on stock_level/);
    expect(plan).not.toMatch(/Sort/);
    expect(plan).toMatch(/Index Cond: \(ROW\(shop_id, id\) > ROW/);
  });

  it('continue after a level that is not low any more', async () => {
    await stock.query('truncate stock_level cascade');
    await createLevels(3, 15);
    const { orm } = await stock.engine();
    const inOrder = await stock.query<{ id: string }>(
      'select id from stock_level where is_low_stock order by shop_id, id',
    );
    const seen: string[] = [];
    for (let after: string | null = null, isLast = false; !isLast; ) {
      const page = await listAllLowStock(orm.em.fork(), { first: 2, after });
      seen.push(...page.edges.map(({ node }) => node.id));
      const refill = 'update stock_level set on_hand = 100 where id = $1';
      await stock.query(refill, [seen.at(-1)]);
      [after, isLast] = [page.pageInfo.endCursor, !page.pageInfo.hasNextPage];
    }
    expect(seen).toEqual(inOrder.map(({ id }) => id));
    expect(seen).toHaveLength(9);
  });
});
