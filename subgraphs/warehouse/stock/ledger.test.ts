import type { EntityManager } from '@mikro-orm/postgresql';
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
  async function inLedger(
    change: (ledger: Ledger, level: StockLevel, em: EntityManager) => void | Promise<void>,
  ): Promise<void> {
    const engine = await stock.engine();
    const { shopId, sku, warehouseIds } = await stockUp(engine, [5]);
    const em = engine.orm.em.fork();
    await em.begin();
    try {
      const ledger = await Ledger.open(em, [{ shopId, sku }], { warehouseIds });
      await change(ledger, ledger.requireLevel(warehouseIds[0] as string, sku), em);
    } finally {
      await em.rollback();
    }
  }
  const movement = { type: 'ADJUSTMENT', actor: 'test' } as const;

  it.each([
    ['fewer than 0 on hand', { onHandDelta: -6 }, 'no units below 0'],
    ['fewer than 0 reserved', { reservedDelta: -1 }, 'no units below 0'],
    ['fewer than 0 committed', { committedDelta: -1 }, 'no units below 0'],
    ['fewer than 0 unavailable', { unavailableDelta: -1 }, 'no units below 0'],
    ['more unavailable than on hand', { unavailableDelta: 6 }, 'unavailable ≤ onHand'],
  ])('refuses a level with %s', async (_, deltas, rule) => {
    const moved = inLedger((ledger, level) => ledger.move(level, { ...movement, ...deltas }));
    await expect(moved).rejects.toThrow(AssertionFailed);
    await expect(moved).rejects.toThrow(rule);
  });

  it.each([
    ['RESERVATION', { reservedDelta: 6 }],
    ['COMMIT', { committedDelta: 6 }],
    ['TRANSFER_OUT', { onHandDelta: -1, reservedDelta: 5 }],
  ] as const)('refuses a %s of more units than there are', async (type, deltas) => {
    const moved = inLedger((ledger, level) =>
      ledger.move(level, { type, actor: 'test', ...deltas }),
    );
    await expect(moved).rejects.toThrow('no unit is promised twice');
  });

  it.each([
    ['ADJUSTMENT', { onHandDelta: -3 }],
    ['UNAVAILABLE', { unavailableDelta: 3 }],
  ] as const)('has an %s of promised units raise the shortfall', async (type, deltas) => {
    await inLedger((ledger, level) => {
      ledger.move(level, { type: 'RESERVATION', actor: 'test', reservedDelta: 4 });
      ledger.move(level, { type, actor: 'test', ...deltas });
      expect(level.shortfall).toBe(2);
    });
  });

  it('has PostgreSQL refuse a reservation of more units than there are, were it not asserted', async () => {
    const oversold = inLedger(async (ledger, level, em) => {
      const move = () =>
        ledger.move(level, { type: 'RESERVATION', actor: 'test', reservedDelta: 6 });
      expect(move).toThrow('no unit is promised twice');
      expect(level).toMatchObject({ onHand: 5, reserved: 6, shortfall: 0 });
      await ledger.write(em);
    });
    await expect(oversold).rejects.toThrow('stock_level_shortfall');
  });

  it('refuses a level with fewer than 0 incoming', async () => {
    const moved = inLedger((ledger, level) => ledger.changeIncoming(level, -1));
    await expect(moved).rejects.toThrow('0 ≤ incoming');
  });

  it('refuses an item with fewer than 0 available, though its level has enough', async () => {
    const moved = inLedger((ledger, level) => {
      level.onHand += 1; // as if the item had missed a receipt
      ledger.move(level, { ...movement, onHandDelta: -6 });
    });
    await expect(moved).rejects.toThrow('0 ≤ available');
  });
});
