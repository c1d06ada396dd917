import { isDeepStrictEqual } from 'node:util';
import type { StockEngine } from '../../subgraphs/warehouse/reservation/engine.js';
import { stockUp, type TestStock } from '../harness/stock-engine.js';
import { keep } from './keep.js';
import { Notebook } from './notebook.js';
import { type Operation, preparationOf } from './operations.js';
import type { Units } from './records.js';
import { sell } from './sell.js';
import type { Outcome } from './world.js';

/**
 * Runs operations in a new shop, one after the other.
 *
 * @returns what they were answered, such as `buy: HELD`, with N for each number
 * @throws unless each answer, and the records of the shop after it, are those of the notebook
 */
export async function runSequence(
  stock: TestStock,
  engine: StockEngine,
  operations: readonly Operation[],
): Promise<string[]> {
  const physical = [7, 7];
  const { shopId, sku, warehouses } = await stockUp(engine, physical);
  const notebook = new Notebook(physical);
  const world = { stock, engine, notebook, shopId, sku, warehouses };
  const handlers = { ...keep(world), ...sell(world) };
  const run = (each: Operation) =>
    (handlers[each.kind] as (each: Operation) => Promise<Outcome>)(each);
  const answers: string[] = [];

  for (const each of operations) {
    let done: Operation | null = each;
    let outcome: Outcome = await run(each);
    while (outcome === 'not possible') {
      done = preparationOf(done);
      if (!done) break;
      outcome = await run(done);
    }
    if (!done) continue;
    await compare(done, outcome);
    answers.push(seenOf(done, outcome));
  }
  return answers;

  async function compare(after: Operation, outcome: Outcome) {
    const expected = { available: notebook.available(), levels: notebook.levels() };
    const actual = await records();
    const seen = () => JSON.stringify({ after, actual, expected, notebook });
    if (typeof outcome !== 'string' && outcome.actual !== outcome.expected) {
      throw new Error(`answered ${outcome.actual} instead of ${outcome.expected}: ${seen()}`);
    }
    if (!isDeepStrictEqual(actual, expected)) throw new Error(`not as expected: ${seen()}`);
  }

  /** What the shop can sell, and the units of its levels in order of priority. */
  async function records() {
    const rows = await stock.query<{ available: number; units: Units }>(
      `select i.available, jsonb_build_object('onHand', l.on_hand, 'reserved', l.reserved,
         'committed', l.committed, 'unavailable', l.unavailable, 'buffer', l.buffer,
         'shortfall', l.shortfall, 'incoming', l.incoming, 'active', w.active) as units
       from stock_item i join stock_level l using (shop_id, sku)
         join warehouse w on w.id = l.warehouse_id
       where i.shop_id = $1 order by w.priority`,
      [shopId],
    );
    return { available: rows[0]?.available, levels: rows.map(({ units }) => units) };
  }
}

function seenOf({ kind }: Operation, outcome: Outcome): string {
  if (typeof outcome === 'string') return `${kind}: ${outcome}`;
  const { expected, note } = outcome;
  return `${kind}: ${expected.replaceAll(/\d+/g, 'N')}${note ? `, ${note}` : ''}`;
}
