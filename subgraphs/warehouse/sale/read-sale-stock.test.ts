import { recordStatements } from '../../../tests/harness/record-statements.js';
import { endSale, lineOf, putInSale, requestOf } from '../../../tests/harness/sales.js';
import { openStock, stockUp, type TestStock } from '../../../tests/harness/stock-engine.js';
import { saleGraceMs } from '../../contracts/reservation.js';
import { newId } from '../../shared/ids.js';
import { reserveStock, type StockEngine } from '../reservation/engine.js';
import { readSaleUnits } from './read-sale-stock.js';

interface PlanNode {
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly Plans?: readonly PlanNode[];
}

describe('the units of variants in sales', () => {
  let stock: TestStock;
  let engine: StockEngine;
  beforeAll(async () => {
    stock = await openStock();
    engine = await stock.engine();
  });
  afterAll(() => stock.close());

  const read = (...keys: Parameters<typeof readSaleUnits>[1]) =>
    readSaleUnits(engine.orm.em.fork(), keys);

  it('are read in the order of the keys, with null where nothing is allocated', async () => {
    const keys = [await stockUp(engine, [10]), await stockUp(engine, [20])] as const;
    const sales = await Promise.all(keys.map((key, n) => putInSale(engine, key, n + 3)));
    const [first, second] = keys.map((key, n) => ({ ...key, saleId: sales[n]?.saleId as string }));
    if (!first || !second) throw new Error('two keys are needed');
    const units = { held: 0, sold: 0, isOpen: true };
    const found = await read(second, { ...first, saleId: newId() }, first, second);
    const ofSecond = {
      shopId: second.shopId,
      sku: second.sku,
      allocated: 4,
      remaining: 4,
      ...units,
    };
    const ofFirst = { shopId: first.shopId, sku: first.sku, allocated: 3, remaining: 3, ...units };
    expect(found).toEqual([ofSecond, null, ofFirst, ofSecond]);
  });

  it('are of a sale that is open until it is cancelled, or its time of grace is over', async () => {
    const keys = [await stockUp(engine, [10]), await stockUp(engine, [10])] as const;
    const [cancelled, ended] = await Promise.all(keys.map((key) => putInSale(engine, key, 3)));
    const ofSales = [cancelled, ended].map((each, n) => {
      return { ...(keys[n] as (typeof keys)[number]), saleId: each?.saleId as string };
    });
    const areOpen = async () => (await read(...ofSales)).map((each) => each?.isOpen);
    await endSale(stock, keys[1], saleGraceMs / 2);
    expect(await areOpen()).toEqual([true, true]);
    const { shopId, sku, saleId } = ofSales[0] as (typeof ofSales)[number];
    await reserveStock(engine, requestOf(lineOf({ shopId, sku }, 1, saleId)));
    await putInSale(engine, keys[0], null, { saleId });
    await endSale(stock, keys[1], saleGraceMs + 1000);
    expect(await areOpen()).toEqual([false, false]);
  });

  it('are read with one row for one offer, and one statement for fifty, of sales of a thousand', async () => {
    const [shopId, saleId] = [newId(), newId()];
    await stock.query(
      `insert into sale_item (shop_id, sale_id, sku, allocated)
       select $1, case n when 0 then $2::uuid else gen_random_uuid() end, 'S' || sku, 1
       from generate_series(0, 19) n, generate_series(1, 1000) sku`,
      [shopId, saleId],
    );
    await stock.query('analyze sale_item');
    const keys = Array.from({ length: 50 }, (_, n) => ({ shopId, saleId, sku: `S${n + 1}` }));
    for (const some of [keys.slice(0, 1), keys]) {
      const { value, statements } = await recordStatements(() => read(...some));
      expect(value.map((each) => each?.sku)).toEqual(some.map(({ sku }) => sku));
      const sent = statements.filter(({ text }) => text.includes('sale_item'));
      expect(sent).toHaveLength(1);
      expect(await rowsRead(sent[0] as never)).toBe(some.length);
    }
  });

  /** The rows of `sale_item` that a statement reads. */
  async function rowsRead({ text, values }: { text: string; values: readonly unknown[] }) {
    const explain = `explain (analyze, format json) ${text}`;
    const [row] = await stock.query<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(explain, [...values]);
    const rowsOf = (node: PlanNode): number =>
      (node['Relation Name'] === 'sale_item' ? node['Actual Rows'] * node['Actual Loops'] : 0) +
      (node.Plans ?? []).reduce((sum, each) => sum + rowsOf(each), 0);
    return rowsOf(row?.['QUERY PLAN'][0]?.Plan as PlanNode);
  }
});
