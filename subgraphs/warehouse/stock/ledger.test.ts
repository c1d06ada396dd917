import { openStock, stockUp, type TestStock } from '../../../tests/harness/stock-engine.js';
import { AssertionFailed } from '../../shared/assert.js';
import { Ledger } from './ledger.js';
import type { StockLevel } from './stock-level.js';

describe('what the ledger asserts of levels and items before it writes them', () => {
  let stock: TestStock;
  beforeAll(async () => {
    stock = await openStock();
  });
  afterAll(() => stock.close());

  /** Runs in a transaction that is rolled back. */
  async function inLedger(change: (ledger: Ledger, level: StockLevel) => void): Promise<void> {
    const engine = await stock.engine();
    const { shopId, sku, warehouseIds } = await stockUp(engine, [5]);
    const em = engine.orm.em.fork();
    await em.begin();
    try {
      const ledger = await Ledger.open(em, [{ shopId, sku }]);
      change(ledger, ledger.requireLevel(warehouseIds[0] as string, sku));
    } finally {
      await em.rollback();
    }
  }
  const movement = { type: 'ADJUSTMENT', reference: null, actor: 'test' } as const;

  it.each([
    ['more reserved than on hand', { onHandDelta: 0, reservedDelta: 6 }, '0 ≤ reserved ≤ onHand'],
    ['fewer than 0 reserved', { onHandDelta: 0, reservedDelta: -1 }, '0 ≤ reserved ≤ onHand'],
    ['fewer than 0 on hand', { onHandDelta: -6, reservedDelta: 0 }, '0 ≤ reserved ≤ onHand'],
  ])('refuses a level with %s', async (_, deltas, rule) => {
    const moved = inLedger((ledger, level) => ledger.move(level, { ...movement, ...deltas }));
    await expect(moved).rejects.toThrow(AssertionFailed);
    await expect(moved).rejects.toThrow(rule);
  });

  it('refuses a level with fewer than 0 incoming', async () => {
    const moved = inLedger((ledger, level) => ledger.changeIncoming(level, -1));
    await expect(moved).rejects.toThrow('0 ≤ incoming');
  });

  it('refuses an item with fewer than 0 available, though its level has enough', async () => {
    const moved = inLedger((ledger, level) => {
      level.onHand += 1; // as if the item had missed a receipt
      ledger.move(level, { ...movement, onHandDelta: -6, reservedDelta: 0 });
    });
    await expect(moved).rejects.toThrow('0 ≤ available');
  });
});
